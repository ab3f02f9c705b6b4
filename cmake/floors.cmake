# assay_floor(NAME FLOORS ... LIBRARIES ...): the static library assay_NAME of src/NAME/*.c.
function(assay_floor name)
  cmake_parse_arguments(FLOOR "" "" "FLOORS;LIBRARIES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.c)
  list(TRANSFORM FLOOR_FLOORS PREPEND assay_)
  if(sources)
    add_library(assay_${name} STATIC ${sources})
    set(scope PUBLIC)
  else()
    add_library(assay_${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_include_directories(assay_${name} ${scope} ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(assay_${name} ${scope} ${FLOOR_FLOORS} ${FLOOR_LIBRARIES})
endfunction()

# assay_embed(FLOOR OUTPUT SCRIPT ARGUMENTS...): generates a C file into the library of a floor.
# The dependencies are all files named by the glob patterns after DEPENDS.
function(assay_embed floor output script)
  cmake_parse_arguments(EMBED "" "" "ARGUMENTS;DEPENDS" ${ARGN})
  file(GLOB inputs CONFIGURE_DEPENDS ${EMBED_DEPENDS})
  set(generated ${CMAKE_BINARY_DIR}/generated/${output})
  add_custom_command(
    OUTPUT ${generated}
    COMMAND Python3::Interpreter ${CMAKE_SOURCE_DIR}/scripts/${script} ${generated} ${EMBED_ARGUMENTS}
    DEPENDS ${CMAKE_SOURCE_DIR}/scripts/${script} ${inputs}
    VERBATIM)
  get_target_property(kind assay_${floor} TYPE)
  if(NOT kind STREQUAL "INTERFACE_LIBRARY")
    target_sources(assay_${floor} PRIVATE ${generated})
  endif()
endfunction()

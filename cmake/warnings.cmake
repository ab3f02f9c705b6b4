add_compile_options(
  -Wall -Wextra -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes -Wmissing-prototypes
  -Wold-style-definition -Wpointer-arith -Wcast-qual -Wwrite-strings -Wundef -Wformat=2 -Wvla
  -Wimplicit-fallthrough -Wdouble-promotion -Werror
  -fstack-protector-strong -fno-omit-frame-pointer)
add_compile_definitions(_GNU_SOURCE G_DISABLE_DEPRECATED ASSAY_VERSION="${PROJECT_VERSION}")
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  add_compile_options(-O2 -g1)
  add_compile_definitions(_FORTIFY_SOURCE=2)
  add_link_options(-Wl,-z,relro,-z,now)
else()
  # Some hundred test programs are linked: gold, a part of binutils, takes a third of the time.
  # With its layout the runtime of ThreadSanitizer does not start where files may not grow (outage_test).
  if(NOT ASSAY_SANITIZE STREQUAL "thread")
    add_link_options(-fuse-ld=gold)
  endif()
  # What tests may ask by the environment: ASSAY_TEST_WAIT_SCALE, ASSAY_TEST_CLOCK_OFFSET (sync/crew.c).
  add_compile_definitions(ASSAY_TEST_HOOKS)
endif()
if(ASSAY_SANITIZE)
  add_compile_options(-fsanitize=${ASSAY_SANITIZE} -fno-sanitize-recover=all -O1 -g1)
  # What sanitizers weave into the code makes gcc see uninitialized values where there are none.
  add_compile_options(-Wno-maybe-uninitialized)
  add_link_options(-fsanitize=${ASSAY_SANITIZE})
  add_compile_definitions(ASSAY_SANITIZED)
endif()

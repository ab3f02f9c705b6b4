# What is installed beside the program is what the program says about itself: pages of the manual and
# scripts that complete command lines. So it is run once when it was built.
set(share ${CMAKE_BINARY_DIR}/share)
set(made ${share}/.made)
add_custom_command(
  OUTPUT ${made}
  COMMAND ${CMAKE_COMMAND} -E rm -rf ${share}
  COMMAND ${CMAKE_COMMAND} -E make_directory ${share}
  COMMAND assay manual --write ${share}/man > ${share}/pages
  COMMAND assay completion bash > ${share}/assay.bash
  COMMAND assay completion zsh > ${share}/assay.zsh
  COMMAND assay completion fish > ${share}/assay.fish
  COMMAND ${CMAKE_COMMAND} -E touch ${made}
  DEPENDS assay
  VERBATIM)
add_custom_target(manual ALL DEPENDS ${made})

include(GNUInstallDirs)
install(TARGETS assay RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY ${share}/man/ DESTINATION ${CMAKE_INSTALL_MANDIR})
install(FILES ${share}/assay.bash RENAME assay
  DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES ${share}/assay.zsh RENAME _assay
  DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
install(FILES ${share}/assay.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
install(FILES README.md ARCHITECTURE.md CONTRIBUTING.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR})

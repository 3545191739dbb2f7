# The install tree: libmoult.so, the public headers, the `moult` command, and the package that find_package(moult) finds.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/moult)
install(TARGETS moult moult_cli EXPORT moult
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/moult DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT moult NAMESPACE moult:: FILE moultTargets.cmake DESTINATION ${package_dir})

write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/moultConfigVersion.cmake
                                 VERSION ${PROJECT_VERSION} COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_SOURCE_DIR}/cmake/moultConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/moultConfigVersion.cmake
              ${PROJECT_SOURCE_DIR}/cmake/MoultApplication.cmake ${PROJECT_SOURCE_DIR}/cmake/MoultTargetNote.cmake
        DESTINATION ${package_dir})

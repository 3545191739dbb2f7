# find_package(moult): the library moult::moult, and moult_application() and moult_update() to build with it.
include(${CMAKE_CURRENT_LIST_DIR}/moultTargets.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/MoultApplication.cmake)

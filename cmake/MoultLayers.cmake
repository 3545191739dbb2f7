# A layer is a folder of src/: a static library that links the layers above it in docs/architecture.md, nothing else.
# Its unit tests are the *_test.cpp files of tests/unit/<layer>/, one program a file.

# What everything in this repository is compiled with; programs and updates in it may link moult_warnings alone.
add_library(moult_warnings INTERFACE)
target_compile_options(moult_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion)
add_library(moult_flags INTERFACE)
target_link_libraries(moult_flags INTERFACE moult_warnings)
target_include_directories(moult_flags INTERFACE ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src)

function(moult_layer name)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cpp)
  if(NOT sources)
    add_library(moult_${name} INTERFACE) # headers only
    target_link_libraries(moult_${name} INTERFACE moult_flags ${ARGN})
    return()
  endif()
  add_library(moult_${name} STATIC ${sources})
  target_link_libraries(moult_${name} PUBLIC moult_flags ${ARGN})
  # libmoult.so shows what the public headers mark as visible, and nothing else (cmake/exports.map).
  set_target_properties(moult_${name} PROPERTIES CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  set_property(GLOBAL APPEND PROPERTY MOULT_LAYERS moult_${name})
endfunction()

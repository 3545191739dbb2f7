# A layer is a folder of src/: a static library that links the layers above it in docs/architecture.md, nothing else.
# Its unit tests are the *_test.cpp files of tests/unit/<layer>/.

# What everything in this repository is compiled with; programs and updates in it may link moult_warnings alone.
add_library(moult_warnings INTERFACE)
target_compile_options(moult_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion)
add_library(moult_flags INTERFACE)
target_link_libraries(moult_flags INTERFACE moult_warnings)
target_include_directories(moult_flags INTERFACE ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src)

# moult_in_units(target): compiles the sources of `target` together, a few units in all. Most of a file's compilation
# is its headers: a layer takes a quarter of the time so, and a changed file a few seconds more.
function(moult_in_units target)
  if(NOT MOULT_UNITY)
    return()
  endif()
  # The compiler takes an unnamed namespace in an included file for that of a header.
  target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 12)
endfunction()

function(moult_layer name)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cpp)
  add_library(moult_${name} STATIC ${sources})
  target_link_libraries(moult_${name} PUBLIC moult_flags ${ARGN})
  moult_in_units(moult_${name})
  if(MOULT_SANITIZER) # whose reports need line numbers alone
    target_compile_options(moult_${name} PRIVATE -g1)
  endif()
  # libmoult.so shows what the public headers mark as visible, and nothing else (cmake/exports.map).
  set_target_properties(moult_${name} PROPERTIES CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  set_property(GLOBAL APPEND PROPERTY MOULT_LAYERS moult_${name})
endfunction()

# How a program is made updatable, and how an update for it is built.
#
#   moult_application(TARGET)                              a program, or a static library that it is made of
#   moult_update(NAME TARGET PROGRAM SOURCES a.cpp ...)    a shared object that `moult apply` hands to PROGRAM
#
# The same file serves this repository and an installed tree (find_package(moult)); it needs the targets moult::moult
# and moult::command.
include_guard(GLOBAL)
include(CheckCXXCompilerFlag)

set(MOULT_TARGET_NOTE_SCRIPT ${CMAKE_CURRENT_LIST_DIR}/MoultTargetNote.cmake)

# Links moult; exports the program's symbols, so that updates can call them; has the linker stamp a build id, so that an
# update for another build is refused; adds debug information with the compiler's switches, so that moult finds
# functions, the places where they were inlined, and the flags an update must be compiled with. What is optimised how
# far is left as it is.
#
# Under g++ -flive-patching=inline-clone is added: it switches off just those optimisations that let a caller rely on
# the body of a function it calls (-fipa-ra, -fipa-pure-const, -fipa-icf, ...), which would be wrong once that body is
# replaced. Inlining stays on: moult knows the inlined copies from the debug information. g++ does not combine it with
# link-time optimisation, so it is left out there; MOULT_UPDATABLE marks single functions to the same end.
function(moult_application target)
  # As target_link_libraries(PUBLIC) does, but beside calls of it with either signature.
  set_property(TARGET ${target} APPEND PROPERTY LINK_LIBRARIES moult::moult)
  set_property(TARGET ${target} APPEND PROPERTY INTERFACE_LINK_LIBRARIES moult::moult)
  target_compile_options(${target} PRIVATE -g -grecord-gcc-switches)
  set_target_properties(${target} PROPERTIES EXPORT_COMPILE_COMMANDS ON)
  get_target_property(type ${target} TYPE)
  if(type STREQUAL "EXECUTABLE")
    set_target_properties(${target} PROPERTIES ENABLE_EXPORTS ON)
    target_link_options(${target} PRIVATE -Wl,--build-id=sha1)
  endif()
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    check_cxx_compiler_flag(-flive-patching=inline-clone MOULT_HAS_LIVE_PATCHING)
    if(MOULT_HAS_LIVE_PATCHING)
      set(config $<UPPER_CASE:$<CONFIG>>)
      set(lto $<OR:$<BOOL:$<TARGET_PROPERTY:INTERPROCEDURAL_OPTIMIZATION>>,$<BOOL:$<TARGET_PROPERTY:INTERPROCEDURAL_OPTIMIZATION_${config}>>>)
      target_compile_options(${target} PRIVATE $<$<AND:$<COMPILE_LANGUAGE:CXX>,$<NOT:${lto}>>:-flive-patching=inline-clone>)
    endif()
  endif()
endfunction()

# A module compiled with the program's include folders, definitions and C++ standard. It carries the program's build id
# in a note, so the program is linked first and a relinked program makes the update relink too. A second note gets the
# checksum of the linked file, by which the program notices damage; `moult checksum` writes it again where a tool changes
# the file later.
# -fno-gnu-unique: otherwise a variable of an inline function would tie the update's version to the program's.
# -fno-visibility-inlines-hidden, -fplt, -fsemantic-interposition, and default visibility: the program binds the update's
# variables to its own, and leads calls. It cannot where the compiler has resolved them within the update.
# -femit-class-debug-always, -fstandalone-debug: what the update knows of the program's classes is compared with what
# these are, and is left out of the debug information otherwise where another file has it.
function(moult_update name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TARGET" "SOURCES")
  if(NOT TARGET "${arg_TARGET}" OR NOT arg_SOURCES)
    message(FATAL_ERROR "moult_update(${name}): say which program it is for, a target that exists already, and from which "
                        "files it is made: moult_update(${name} TARGET program SOURCES update.cpp)")
  endif()
  set(note ${CMAKE_CURRENT_BINARY_DIR}/${name}.note.cpp)
  add_custom_command(
    OUTPUT ${note}
    COMMAND ${CMAKE_COMMAND} -D READELF=${CMAKE_READELF} -D PROGRAM=$<TARGET_FILE:${arg_TARGET}> -D NOTE=${note}
            -P ${MOULT_TARGET_NOTE_SCRIPT}
    DEPENDS ${arg_TARGET} ${MOULT_TARGET_NOTE_SCRIPT}
    COMMENT "Reading the build id of ${arg_TARGET} for ${name}"
    VERBATIM)
  add_library(${name} MODULE ${arg_SOURCES} ${note})
  add_custom_command(TARGET ${name} POST_BUILD COMMAND moult::command checksum $<TARGET_FILE:${name}> VERBATIM)
  target_link_libraries(${name} PRIVATE moult::moult)
  add_dependencies(${name} ${arg_TARGET})
  target_include_directories(${name} PRIVATE $<TARGET_PROPERTY:${arg_TARGET},INCLUDE_DIRECTORIES>)
  target_compile_definitions(${name} PRIVATE $<TARGET_PROPERTY:${arg_TARGET},COMPILE_DEFINITIONS>)
  target_compile_features(${name} PRIVATE $<TARGET_PROPERTY:${arg_TARGET},COMPILE_FEATURES>)
  target_compile_options(${name} PRIVATE -g -fno-visibility-inlines-hidden -fplt -fsemantic-interposition
    "$<$<CXX_COMPILER_ID:GNU>:-fno-gnu-unique;-femit-class-debug-always>"
    $<$<CXX_COMPILER_ID:Clang>:-fstandalone-debug>)
  set_target_properties(${name} PROPERTIES
    PREFIX "" POSITION_INDEPENDENT_CODE ON EXPORT_COMPILE_COMMANDS ON
    CXX_VISIBILITY_PRESET default VISIBILITY_INLINES_HIDDEN OFF INTERPROCEDURAL_OPTIMIZATION OFF)
endfunction()

# Writes a source file with two ELF notes of an update, both with the name "moult".
# - Section .note.moult.target, type 2: the raw bytes of the program's build id. The runtime compares it with its own
#   before it runs an update.
# - Section .note.moult.checksum, type 3: twelve zeros, which `moult checksum` replaces after the link.
#
#   cmake -D READELF=readelf -D PROGRAM=path -D NOTE=out.cpp -P MoultTargetNote.cmake

execute_process(COMMAND ${CMAKE_COMMAND} -E env LC_ALL=C ${READELF} --notes ${PROGRAM}
                OUTPUT_VARIABLE notes RESULT_VARIABLE result)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "${READELF} cannot read the notes of ${PROGRAM}: ${result}")
endif()
if(NOT notes MATCHES "Build ID: ([0-9a-f]+)")
  message(FATAL_ERROR "${PROGRAM} has no build id, so an update cannot be tied to it; link it with -Wl,--build-id=sha1 "
                      "(moult_application does)")
endif()

set(hex ${CMAKE_MATCH_1})
string(LENGTH ${hex} digits)
math(EXPR size "${digits} / 2")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1, " bytes ${hex})
string(REGEX REPLACE ", $" "" bytes ${bytes})
set(text "// The build id of ${PROGRAM}
asm(\".pushsection .note.moult.target,\\\"a\\\",@note\\n\"
    \".balign 4\\n\"
    \".long 6, ${size}, 2\\n\"
    \".asciz \\\"moult\\\"\\n\"
    \".balign 4\\n\"
    \".byte ${bytes}\\n\"
    \".balign 4\\n\"
    \".popsection\\n\");
asm(\".pushsection .note.moult.checksum,\\\"a\\\",@note\\n\"
    \".balign 4\\n\"
    \".long 6, 12, 3\\n\"
    \".asciz \\\"moult\\\"\\n\"
    \".balign 4\\n\"
    \".zero 12\\n\"
    \".popsection\\n\");
")
# Left alone when it says the same already, so that nothing is built again for a program relinked to the same bytes.
file(CONFIGURE OUTPUT ${NOTE} CONTENT "${text}" @ONLY)

// The notes of an update that was made for the program with the build id deadbeef01, with room for its checksum.
#pragma once

asm(".pushsection .note.moult.target,\"a\",@note\n"
    ".balign 4\n"
    ".long 6, 5, 2\n"
    ".asciz \"moult\"\n"
    ".balign 4\n"
    ".byte 0xde, 0xad, 0xbe, 0xef, 0x01\n"
    ".balign 4\n"
    ".popsection\n");

asm(".pushsection .note.moult.checksum,\"a\",@note\n"
    ".balign 4\n"
    ".long 6, 12, 3\n"
    ".asciz \"moult\"\n"
    ".balign 4\n"
    ".zero 12\n"
    ".popsection\n");

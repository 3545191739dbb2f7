// What makes a shared object an update.
#pragma once

/// Opens the body of the update's entry, which builds updates and hands them to managers:
///
///   MOULT_UPDATE {
///     moult::fetch_manager("main")->add_update(...);
///   }
///
/// It runs once, in a thread of its own, after the shared object was loaded; what it throws refuses the update. The
/// shared object is never unloaded. It also carries a note with the version of moult's binary interface.
#define MOULT_UPDATE                                      \
  asm(".pushsection .note.moult.abi,\"a\",@note\n"      \
      ".balign 4\n"                                     \
      ".long 6, 4, 1\n"                                 \
      ".asciz \"moult\"\n"                              \
      ".balign 4\n"                                     \
      ".long " MOULT_STRING(MOULT_ABI_VERSION) "\n"     \
      ".popsection\n"); \
  extern "C" [[gnu::visibility("default")]] void moult_update_entry()

/// Raised whenever an update built before would misbehave in a program built after.
#define MOULT_ABI_VERSION 1
#define MOULT_STRING(value) MOULT_STRING_OF(value)
#define MOULT_STRING_OF(value) #value

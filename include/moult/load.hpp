// What makes a shared object an update.
#pragma once

#include "moult/detail/abi.hpp"

/// Opens the body of the update's entry, which builds updates and hands them to managers:
///
///   MOULT_UPDATE {
///     moult::threaded_manager("main").add_update(...);
///   }
///
/// It runs once, in a thread of its own, after the shared object was loaded; what it throws refuses the update. A file
/// that is sent again is loaded again, as another library with static variables of its own; the shared object is never
/// unloaded. An entry that wants only a manager that the program keeps asks fetch_manager, which returns null where
/// there is none. It also carries a note with the version of moult's binary interface.
#define MOULT_UPDATE                                      \
  asm(".pushsection .note.moult.abi,\"a\",@note\n"      \
      ".balign 4\n"                                     \
      ".long 6, 4, 1\n"                                 \
      ".asciz \"moult\"\n"                              \
      ".balign 4\n"                                     \
      ".long " MOULT_STRING(MOULT_ABI_VERSION) "\n"     \
      ".popsection\n"); \
  extern "C" [[gnu::visibility("default")]] void moult_update_entry()

#define MOULT_STRING(value) MOULT_STRING_OF(value)
#define MOULT_STRING_OF(value) #value

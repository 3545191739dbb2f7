// The entry that makes a shared object an update.
#pragma once

#include "moult/detail/abi.hpp"
#include "moult/detail/at_exit.hpp"

/// Opens the body of the update's entry, which makes updates and hands them to managers:
///
///   MOULT_UPDATE {
///     moult::threaded_manager("main").add_update(
///         std::make_unique<moult::SafeRedefineUpdate>("greeting", &app::greet, &greet_v2));
///   }
///
/// The entry runs once, in a thread of its own, after the shared object was loaded. What it throws refuses the update.
/// Each load of the same file is another library with static variables of its own; the shared object is never unloaded.
/// Its static objects live to the end of the process and are not destroyed, so that every call finds them alive; what
/// must be done at the end is a matter for std::atexit. An entry that accepts only a manager of the program's calls
/// fetch_manager, which returns null when there is none. The macro also emits a note with the version of moult's binary
/// interface.
#define MOULT_UPDATE                                      \
  asm(".pushsection .note.moult.abi,\"a\",@note\n"      \
      ".balign 4\n"                                     \
      ".long 6, 4, 1\n"                                 \
      ".asciz \"moult\"\n"                              \
      ".balign 4\n"                                     \
      ".long " MOULT_STRING(MOULT_ABI_VERSION) "\n"     \
      ".popsection\n"); \
  MOULT_KEEP_STATIC_OBJECTS                               \
  extern "C" [[gnu::visibility("default")]] void moult_update_entry()

#define MOULT_STRING(value) MOULT_STRING_OF(value)
#define MOULT_STRING_OF(value) #value

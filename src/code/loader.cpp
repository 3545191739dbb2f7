// Why a copy: the sender's next compilation overwrites the file, under the code that runs from it. And the dynamic
// linker takes the same path for the same library. A file with a name of its own can be sent again under the old path,
// is exactly the file that was checked, and remains for gdb and perf to read.
//
// How: the file is opened once, and its owner, its size and its ELF header are checked through that descriptor. Its
// bytes are copied to a file that no other user may write. Everything else (structure, notes, checksum, dlopen) reads
// the copy. Nothing of the copy is believed before it is checked: the dynamic linker would follow a damaged file out of
// its bounds. When it is checked, moult writes into its tables where names lead that the dynamic linker would lead
// elsewhere (update_binding.hpp).
//
// Limits: a folder mounted noexec cannot hold the copy. An exception from a static constructor of the update passes
// through the dynamic linker and ends the process; such work belongs into the entry function.
#include "code/loader.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

#include "base/fault.hpp"
#include "base/names.hpp"
#include "base/proc.hpp"
#include "base/trusted_file.hpp"
#include "code/doubled_variables.hpp"
#include "code/edit_placement.hpp"
#include "code/hidden_names.hpp"
#include "code/near_pool.hpp"
#include "code/update_binding.hpp"
#include "elf/elf_file.hpp"
#include "elf/update_notes.hpp"
#include "elf/update_structure.hpp"
#include "moult/detail/at_exit.hpp"
#include "moult/error.hpp"
#include "moult/load.hpp"
#include "platform/private_copy.hpp"
#include "symbols/program.hpp"

namespace moult::internal {
namespace {

/// Only updates call it. Without this, a program that is linked with moult's archives would leave it out.
[[gnu::used]] int (*const for_updates)(void (*)(void*), void*, void*) noexcept = moult::detail::destroy_at_exit;

[[noreturn]] void fail(ErrorCode code, const std::string& path, const std::string& why) {
  throw Error(code, path + ": " + why);
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

/// The notes. Error messages name the file that was sent.
UpdateNotes checked_notes(const std::string& path, const std::string& copy) {
  try {
    return read_update_notes(copy);
  } catch (const Error& error) {
    throw Error(error.code(), replaced(error.what(), copy, path));
  }
}

/// Returns the warnings.
std::vector<std::string> check_checksum(const std::string& path, const UpdateNotes& notes) {
  if (notes.checksum && notes.checksum->is_written()) return {};
  const std::string next = notes.checksum ? "run `moult checksum` on it after the link"
                                          : "build it with moult_update or moult apply, which write one";
  return {path + ": has no checksum, so damage of the file is not noticed; " + next};
}

void check_abi(const std::string& path, const UpdateNotes& notes) {
  if (notes.abi == MOULT_ABI_VERSION) return;
  std::string built = notes.abi ? "with version " + std::to_string(*notes.abi) : "without moult's note";
  fail(ErrorCode::abi_mismatch, path,
       "was built " + built + " of moult's binary interface, and the program has version " +
           std::to_string(MOULT_ABI_VERSION) + "; build it against the moult that the program uses");
}

/// Returns the warnings.
std::vector<std::string> check_build_id(const std::string& path, const UpdateNotes& notes, const LoadOptions& options) {
  std::string running = options.program_build_id ? *options.program_build_id : build_id_of(proc::own_executable);
  if (notes.target_build_id.empty())
    return {path +
            ": does not say for which build of the program it was made; build it with moult_update or moult apply"};
  if (running.empty())
    return {path + ": the running program has no build id to compare with; link it with -Wl,--build-id=sha1"};
  if (notes.target_build_id == running) return {};
  std::string difference =
      "was built for the program with build id " + notes.target_build_id + ", and the running one is " + running;
  if (options.force) return {path + ": " + difference + "; loaded all the same, as forced"};
  fail(ErrorCode::build_id_mismatch, path,
       difference + "; build it for the running program, or force it if you know that nothing it uses has changed");
}

/// Its addresses are those of one build of the program: it can never be forced.
void require_build_of_edit(const std::string& path, const UpdateNotes& notes, const LoadOptions& options) {
  LoadOptions strict = options;
  strict.force = false;
  if (notes.target_build_id.empty())
    fail(ErrorCode::build_id_mismatch, path, "does not say for which build of the program it was made; build it again");
  if (!check_build_id(path, notes, strict).empty())
    fail(ErrorCode::build_id_mismatch, path,
         "cannot be compared with the running program, which has no build id; link it with -Wl,--build-id=sha1");
}

/// The name in the dynamic linker's message; empty if it misses none.
std::string undefined_symbol(const std::string& why) {
  constexpr std::string_view marker = "undefined symbol: ";
  const std::size_t at = why.find(marker);
  if (at == std::string::npos) return {};
  const std::string symbol = why.substr(at + marker.size());
  return symbol.substr(0, symbol.find_first_of(", \n"));
}

[[noreturn]] void refuse_unlinked(const std::string& path, const std::string& copy, const std::string& why) {
  if (const std::string symbol = undefined_symbol(why); !symbol.empty())
    fail(ErrorCode::not_found, path,
         "uses " + demangle(symbol) +
             ", which the program neither exports nor has among its static and hidden functions and variables; it may "
             "have been inlined everywhere, or the program may be stripped: mark it MOULT_UPDATABLE, or link the "
             "program with moult_application (-rdynamic)");
  bool is_noexec = why.find("failed to map segment") != std::string::npos;
  fail(ErrorCode::not_an_update, path,
       "the dynamic linker refuses it: " + replaced(why, copy, path) +
           (is_noexec ? "; the folder of " + copy + " must not be mounted noexec" : std::string()));
}

/// Binds a name that the program hides. False: it has none.
bool bind_hidden(const std::string& path, const std::string& symbol, HiddenNames& hidden, UpdateBinding& binding) {
  if (symbol.empty() || !binding.can_bind(symbol)) return false;
  try {
    const std::optional<std::uintptr_t> address = hidden.find(symbol);
    return address && binding.bind(symbol, *address);
  } catch (const Error& error) {
    throw Error(error.code(), path + ": " + error.what());
  }
}

/// Binds the other names that the program hides, too, so that the file is not loaded once for each.
void bind_others_hidden(HiddenNames& hidden, UpdateBinding& binding) {
  for (const std::string& symbol : binding.missing()) try {
      if (const std::optional<std::uintptr_t> address = hidden.find(symbol)) binding.bind(symbol, *address);
    } catch (const Error&) {  // bind_hidden tells of it when the dynamic linker names the symbol
    }
}

/// glibc says one or the other.
bool is_lack_of_memory(std::string_view why) noexcept {
  return why.find("out of memory") != std::string_view::npos || why.find("annot allocate") != std::string_view::npos;
}

/// What the dynamic linker says.
std::string reason_of_failed_load(const std::string& path) {
  const char* const text = ::dlerror();
  if (text == nullptr || is_lack_of_memory(text))
    fail(ErrorCode::no_room, path, "the program has no memory to load it; try again when it has some");
  return text;
}

/// Names of variables that are in the update and the program.
struct DoubledNames {
  std::vector<std::string> shared;   ///< they should be one, and moult cannot make them one
  std::vector<std::string> statics;  ///< of source files
};

/// Binds the update's uses of variables that the program hides from libraries. Returns what is left.
DoubledNames bind_variables(const PrivateCopy& copy, UpdateBinding& binding) {
  DoubledNames left;
  const auto add = [](std::vector<std::string>& names, const std::string& name) {
    if (names.empty() || names.back() != name) names.push_back(name);  // they are sorted
  };
  const auto uses_by_name = [&](std::string_view mangled) { return binding.uses_by_name(mangled); };
  for (const DoubledVariable& each : doubled_variables(copy.name(), uses_by_name)) {
    const bool can_bind =
        each.is_same() && binding.can_bind(each.mangled) && (each.guard.empty() || binding.can_bind(each.guard));
    if (each.is_of_one_file || !can_bind) {
      add(each.is_of_one_file ? left.statics : left.shared, each.name);
      continue;
    }
    binding.bind(each.mangled, *each.address);
    if (!each.guard.empty()) binding.bind(each.guard, *each.programs_guard);
  }
  return left;
}

std::string first_of(const std::vector<std::string>& names) {
  constexpr std::size_t most_named = 8;
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), most_named); ++i) text += (i == 0 ? "" : ", ") + names[i];
  if (names.size() > most_named) text += " and " + std::to_string(names.size() - most_named) + " more";
  return text;
}

/// Returns the warnings.
std::vector<std::string> check_variables(const std::string& path, const DoubledNames& doubled,
                                         const LoadOptions& options) {
  std::vector<std::string> warnings;
  if (!doubled.statics.empty())
    warnings.push_back(
        path + ": has static variables of its own whose names the program's have, too: " + first_of(doubled.statics) +
        "; its code uses its own, with their first values; moult::variable reaches the program's");
  if (doubled.shared.empty()) return warnings;
  const std::string what = "has variables of its own that should be the program's: " + first_of(doubled.shared) +
                           "; its code would use those, with their first values";
  if (!options.force)
    fail(ErrorCode::unsupported, path,
         what +
             "; make them visible in the update (-fvisibility=default, as moult apply and moult_update do), reach the "
             "program's with moult::variable, or force it if that is meant");
  warnings.push_back(path + ": " + what + ", as forced");
  return warnings;
}

/// Loads an update that uses the program's code and data by distance.
void* open_in_place(const std::string& path, const PrivateCopy& copy, EditPlacement& placement) {
  for (int round = 0; round < most_mapping_rounds; ++round) {
    placement.choose(path);
    MOULT_FAULT("code.loader.open");
    void* const handle = ::dlopen(copy.name().c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) refuse_unlinked(path, copy.name(), reason_of_failed_load(path));
    if (placement.is_in_place(handle)) return handle;
    ::dlclose(handle);
  }
  fail(ErrorCode::no_room, path, "the places near the program's code were taken as soon as they were found; try again");
}

/// The dynamic linker names one missing symbol at a time, and has then changed nothing.
void* open_library(const std::string& path, const PrivateCopy& copy, UpdateBinding& binding) {
  HiddenNames hidden;
  for (;;) {
    MOULT_FAULT("code.loader.open");
    binding.write();
    if (void* handle = ::dlopen(copy.name().c_str(), RTLD_NOW | RTLD_LOCAL)) return handle;
    const std::string why = reason_of_failed_load(path);
    if (!bind_hidden(path, undefined_symbol(why), hidden, binding)) refuse_unlinked(path, copy.name(), why);
    bind_others_hidden(hidden, binding);
  }
}

void* entry_of(const std::string& path, void* handle) {
  void* const entry = ::dlsym(handle, "moult_update_entry");
  if (entry == nullptr)
    fail(ErrorCode::not_an_update, path, "its moult_update_entry is hidden; write MOULT_UPDATE { ... }");
  return entry;
}

}  // namespace

LoadedUpdate load_update(const std::string& path, const LoadOptions& options) {
  const Fd source = open_trusted(path, "a shared object");
  require_update_header(FileBytes(source, path));
  PrivateCopy copy(source, path, options.folder);
  const UpdateNotes notes = checked_notes(path, copy.name());
  check_abi(path, notes);
  std::vector<std::string> warnings = check_checksum(path, notes);
  const auto add = [&](std::vector<std::string> more) { std::ranges::move(more, std::back_inserter(warnings)); };
  void* entry = nullptr;
  if (EditPlacement placement(copy); placement.is_needed()) {
    require_build_of_edit(path, notes, options);
    entry = entry_of(path, open_in_place(path, copy, placement));
    placement.keep_variables();
  } else {
    const SharedReading reading;
    UpdateBinding binding(copy);
    binding.keep_calls();
    add(check_build_id(path, notes, options));
    add(check_variables(path, bind_variables(copy, binding), options));
    entry = entry_of(path, open_library(path, copy, binding));
    for (std::string& warning : binding.finish(entry)) warnings.push_back(path + ": " + std::move(warning));
  }
  copy.keep();
  return LoadedUpdate(copy.name(), std::move(warnings), reinterpret_cast<void (*)()>(entry));
}

}  // namespace moult::internal

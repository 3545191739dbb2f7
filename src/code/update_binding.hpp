// Where the names in an update's file lead: decided before the dynamic linker does.
#pragma once

#include <elf.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/address.hpp"
#include "elf/update_structure.hpp"
#include "platform/private_copy.hpp"

namespace moult::internal {

/// The dynamic symbols and relocations of an update's private copy. Call keep_calls and bind, then write, then the
/// dynamic linker, then finish.
class UpdateBinding final {
 public:
  /// Throws Error, as require_update_structure does.
  explicit UpdateBinding(const PrivateCopy& copy);
  UpdateBinding(const UpdateBinding&) = delete;
  UpdateBinding& operator=(const UpdateBinding&) = delete;

  /// Calls of functions that both the update and the program define lead to the update's, unless the program's are
  /// redefined. Addresses of functions stay the program's, if it exports them.
  void keep_calls();

  /// True if the dynamic linker decides where the update's uses of the name lead: the file exports or imports it, and
  /// neither the compiler nor the linker has resolved the uses.
  bool uses_by_name(std::string_view mangled) const { return find_used(mangled).has_value(); }
  /// The same, but not for a variable of each thread.
  bool can_bind(std::string_view mangled) const { return find_bindable(mangled).has_value(); }
  /// Makes the uses lead to `address`, in this process. Returns false, and does nothing, unless can_bind.
  bool bind(std::string_view mangled, std::uintptr_t address);

  /// The names that the dynamic linker needs and will not find, as long as they are not bound. Only those that can be
  /// bound. Empty if the update needs a library that is not loaded yet: that may have them.
  std::vector<std::string> missing() const;

  /// Changes the copy. Throws Error: no_room, system.
  void write();

  /// `entry` is the address of the loaded moult_update_entry. Returns warnings of calls that lead to the program's
  /// version although the update has another one. Throws Error (system).
  std::vector<std::string> finish(const void* entry) const;

 private:
  struct Relocation {
    std::uint64_t place = 0;  ///< its offset in the file
    Elf64_Rela entry{};
  };
  /// A call, by addresses in the file.
  struct KeptCall {
    CodeAddress function{};  ///< the program's, in memory
    std::uint64_t copy = 0;
    std::uint64_t slot = 0;
  };

  /// A function that is called through the slot that its address is in.
  struct SharedSlot {
    std::string name;
    CodeAddress function{};  ///< the program's, in memory
    CodeRange copy;          ///< the update's, in the file
  };

  void read_needed(const FileBytes& file, const UpdateStructure& structure);
  void read_called_slots(const FileBytes& file, const UpdateStructure& structure);
  std::string_view name_at(std::uint64_t place) const;
  std::string_view name_of(const Elf64_Sym& symbol) const;
  std::optional<std::size_t> find(std::string_view mangled) const;
  std::optional<std::size_t> find_used(std::string_view mangled) const;
  std::optional<std::size_t> find_bindable(std::string_view mangled) const;
  template <class Entry>
  void change(std::uint64_t place, const Entry& entry);

  const PrivateCopy& copy_;
  std::uint64_t symbols_place_ = 0;
  std::vector<Elf64_Sym> symbols_;
  std::string names_;
  std::vector<std::string> needed_;                            ///< libraries
  std::unordered_map<std::string_view, std::size_t> numbers_;  ///< of the symbols, by their names
  std::vector<bool> is_used_;                                  ///< a relocation names the symbol of that number
  std::vector<Relocation> relocations_;
  std::vector<PrivateCopy::Change> changes_;
  std::vector<KeptCall> calls_;
  std::set<std::uint64_t> called_slots_;  ///< of addresses of functions, those that calls and jumps go through, too
  std::vector<SharedSlot> shared_slots_;
};

}  // namespace moult::internal

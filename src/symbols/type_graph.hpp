// The types of a heap walk, joined from the debug information of all modules, and the links between them.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "symbols/heap_type.hpp"
#include "symbols/program.hpp"
#include "symbols/type_index.hpp"

namespace moult::internal {

class TypeGraph final {
 public:
  /// `request` and `program` must outlive it.
  TypeGraph(const Program& program, const HeapRequest& request);

  /// Null for a module without debug information.
  const TypeIndex* index(std::size_t module) const { return indexes_[module].get(); }
  /// The number of a variable's type; adds every type that it leads to.
  std::size_t add(std::size_t module, const StaticVariable& variable);
  /// All types by their numbers; the graph has none afterwards, so it is the last that is asked of it.
  /// Throws Error: layout_mismatch.
  std::vector<HeapType> take();
  /// The polymorphic classes found, by demangled name; the module is where the class is defined.
  struct VirtualClass {
    std::size_t module = 0;
    std::size_t type = no_type;
  };
  std::multimap<std::string, VirtualClass> virtual_classes() const;

 private:
  /// Where a type was read.
  struct Origin {
    std::size_t module = 0;
    std::optional<std::size_t> number;  ///< of the class in its index
    Dwarf_Die die{};
  };

  std::size_t type_for(std::size_t module, const std::optional<Dwarf_Die>& bare);
  std::size_t class_for(std::size_t module, const Dwarf_Die& die);
  std::size_t pointer_for(std::size_t module, Dwarf_Die pointer);
  std::size_t pointer_to(std::size_t target);
  std::optional<std::size_t> wanted_pointer_for(std::size_t module, Dwarf_Die pointer);
  std::size_t untyped(const std::string& plural);
  std::size_t make(HeapType type, const Origin& origin, bool is_to_fill);
  std::optional<Origin> definition_of(std::size_t module, const Dwarf_Die& die, const std::string& name) const;
  void complete();
  void fill(std::size_t type);
  void fill_array(std::size_t type);
  void fill_class(std::size_t type);
  void add_part(std::size_t type, Dwarf_Die member);
  void add_derived(std::size_t base);
  void note_wanted(std::size_t type, const ClassName& written);

  const Program& program_;
  const HeapRequest& request_;
  std::vector<std::unique_ptr<TypeIndex>> indexes_;
  std::vector<HeapType> types_;
  std::vector<Origin> origins_;
  std::vector<std::size_t> to_fill_;
  std::vector<std::size_t> pointed_to_;                                 ///< polymorphic classes with pointers to them
  std::map<std::pair<std::size_t, std::size_t>, std::size_t> classes_;  ///< by module and number
  std::unordered_map<const void*, std::size_t> by_entry_;
  std::unordered_map<std::size_t, std::size_t> pointers_;  ///< by target
  std::map<std::string, std::size_t> untyped_;
  std::unordered_map<const void*, std::optional<std::size_t>> wanted_pointers_;  ///< by entry
};

}  // namespace moult::internal

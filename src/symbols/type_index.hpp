// All classes and static objects of one module, from one pass over its debug information.
//
// Names of classes are the compiler's, with scopes: within one module this joins one unit's declaration with another's
// definition. Not thread-safe; reading a big module takes seconds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "symbols/debug_info.hpp"

namespace moult::internal {

struct IndexedClass {
  std::string name;                     ///< "app::Box<long int>"; "" for one without a name
  std::optional<Dwarf_Die> definition;  ///< nothing while the class is only declared
  bool is_ambiguous = false;            ///< has several definitions under this name
  std::vector<std::size_t> derived;     ///< indices of the classes with this direct base
};

/// True for a name that may denote another class in each unit: a class in an unnamed namespace or in a function, an
/// unnamed class, or a template over one.
bool is_of_unit(std::string_view name);

/// An object that lives as long as the program or a thread: global, a class's, a function's.
struct StaticVariable {
  std::string name;           ///< "app::cache", "app::next()::count"
  std::string linkage_name;   ///< mangled, if other modules may share it; else ""
  std::uint64_t address = 0;  ///< in the file
  bool is_thread_local = false;
  Dwarf_Die die{};
};

class TypeIndex final {
 public:
  /// `info` must outlive it.
  explicit TypeIndex(const DebugInfo& info);
  /// Of the units only that may have an entry of the name `identifier`.
  TypeIndex(const DebugInfo& info, const std::string& identifier);

  const std::vector<IndexedClass>& classes() const noexcept { return classes_; }
  /// The index of the class that `type`, a class's entry, denotes.
  std::optional<std::size_t> class_of(const Dwarf_Die& type) const;
  /// By a name that means the same in every unit: not for classes in functions or unnamed namespaces.
  std::optional<std::size_t> find(const std::string& name) const;
  /// The indices of the classes whose name begins with one of node_templates.
  const std::vector<std::size_t>& nodes(std::string_view node_template) const;
  const std::vector<StaticVariable>& variables() const noexcept { return variables_; }

 private:
  struct Inheritance {
    std::size_t derived = 0;
    Dwarf_Die base{};
  };

  /// The surroundings of an entry.
  struct Around {
    std::string scope;                    ///< "app::"; inside of a function, relative to it
    const Dwarf_Die* function = nullptr;  ///< null outside of functions
    int depth = 0;
  };

  void read(const DebugUnit& unit);
  void finish();
  void visit_children(Dwarf_Die parent, const Around& around);
  void visit_class(Dwarf_Die& die, const Around& around);
  void visit_variable(Dwarf_Die& die, const Around& around);
  static std::string name_of_variable(Dwarf_Die& die, const Around& around);
  std::size_t number_for(const Dwarf_Die& die, const std::string& name, bool is_in_function);
  void note_definition(std::size_t number, const Dwarf_Die& die);
  void join_bases();
  void name_by_declarations();

  std::vector<IndexedClass> classes_;
  std::vector<StaticVariable> variables_;
  std::vector<Inheritance> inheritances_;
  std::unordered_map<const void*, std::size_t> by_entry_;
  std::unordered_map<std::string, std::size_t> by_name_;
  std::unordered_map<std::string, std::size_t> of_unit_;   ///< names that are valid in one unit only
  std::unordered_map<const void*, std::string> declared_;  ///< names of classes and variables that are only declared
  std::unordered_map<std::string_view, std::vector<std::size_t>> nodes_;
};

/// The templates of the nodes of the standard library's containers.
inline constexpr std::string_view list_node = "std::_List_node<";
inline constexpr std::string_view forward_list_node = "std::_Fwd_list_node<";
inline constexpr std::string_view tree_node = "std::_Rb_tree_node<";
inline constexpr std::string_view hash_node = "std::__detail::_Hash_node<";

/// "std::list<int>" of "std::__cxx11::list<int>": removes inline namespaces of the library's versions.
std::string plain_library_name(std::string_view name);

}  // namespace moult::internal

// The classes of a compilation unit, without its functions: what debug information has of them at the level of
// namespaces and inside of other classes.
#pragma once

#include <dwarf.h>
#include <elfutils/libdw.h>

#include <string>
#include <string_view>
#include <vector>

#include "symbols/debug_info.hpp"

namespace moult::internal {

/// "app::" for the children of namespace app.
std::string scope_inside(Dwarf_Die scope, const std::string& around);

bool is_class_tag(int tag);

/// A class as a type unit's stand-in for it is followed to.
Dwarf_Die full_class(const Dwarf_Die& die);

/// Whether the class `die`, found in `scope` ("app::"), is the one that the demangler writes as `name`.
class ClassName final {
 public:
  explicit ClassName(std::string_view name);
  bool fits(const Dwarf_Die& die, const std::string& scope) const;
  /// The last component, template arguments left out.
  const std::string& identifier() const noexcept { return identifier_; }
  /// The units that may have an entry of the class, or refer to units that do.
  std::vector<const DebugUnit*> units_of(const DebugInfo& info) const;

 private:
  std::string name_;
  std::string scope_;  ///< with compilers' spelling unknown, only for classes outside of templates
  std::string identifier_;
  bool is_plain_ = false;  ///< without template arguments anywhere
};

/// Calls `visit(die, scope)` for each class and union under `parent`, which is in `scope`; nested ones come after what
/// they are in.
template <class Visit>
void visit_classes(const Dwarf_Die& parent, const std::string& scope, Visit&& visit) {
  Dwarf_Die from = parent;
  Dwarf_Die child{};
  for (bool more = dwarf_child(&from, &child) == 0; more; more = dwarf_siblingof(&child, &child) == 0) {
    const int tag = dwarf_tag(&child);
    if (is_class_tag(tag)) visit(child, scope);
    if (tag == DW_TAG_namespace || is_class_tag(tag)) visit_classes(child, scope_inside(child, scope), visit);
  }
}

}  // namespace moult::internal

// Problem: two updates that do not know each other use the same field. They share the class's name, the field's name
// and the field's type.
//
// Limit: two types with the same name and size are taken for one, whatever they contain: rename a type that changes.
#include "additions/fields.hpp"

#include <algorithm>
#include <vector>

#include "base/fault.hpp"
#include "base/opaque.hpp"
#include "moult/error.hpp"
#include "threads/dynamic_symbols.hpp"

namespace moult::internal {
namespace {

struct KnownField {
  const ObjectClass* owner;
  std::string name;
  const std::type_info* type;
  std::size_t size;
  std::size_t alignment;
  SideTable* table;
  Keeps keeps;
};

/// Never destroyed: handles with static storage duration use it too.
Guarded<std::vector<KnownField>>& known_fields() {
  static Guarded<std::vector<KnownField>>& made = *new Guarded<std::vector<KnownField>>;
  return made;
}

std::string words_of(const std::type_info& type, std::size_t size) {
  return object_class_of(type).name.text() + " (" + std::to_string(size) + " bytes)";
}

/// Call it with the registry's lock held; it does not take it.
KnownField* find(std::vector<KnownField>& known, const ObjectClass& owner, std::string_view name) noexcept {
  auto found =
      std::ranges::find_if(known, [&](const KnownField& each) { return each.owner == &owner && each.name == name; });
  return found == known.end() ? nullptr : &*found;
}

void require_type(const KnownField& known, const detail::FieldKind& kind) {
  if (*known.type == *kind.type && known.size == kind.size && known.alignment == kind.alignment) return;
  throw Error(ErrorCode::invalid_argument, describe_field(kind) + " is of type " + words_of(*known.type, known.size) +
                                               ", and not of type " + words_of(*kind.type, kind.size) +
                                               "; ask for it by its own type, or give the other one another name");
}

void require_free(const KnownField* known, const detail::FieldKind& kind) {
  if (known == nullptr) return;
  if (known->keeps == Keeps::while_used && known->table->count() == 0) return;
  require_type(*known, kind);
  throw Error(ErrorCode::invalid_argument,
              describe_field(kind) + " is there already; find it with moult::field, or choose another name");
}

}  // namespace

std::string describe_field(const detail::FieldKind& kind) {
  return "the field " + kind.name + " of " + object_class_of(*kind.owner).name.text();
}

void refuse_second_field(const detail::FieldKind& kind) {
  const ObjectClass& owner = object_class_of(*kind.owner);
  known_fields().with([&](std::vector<KnownField>& known) { require_free(find(known, owner, kind.name), kind); });
}

SideTable& add_field(const detail::FieldKind& kind, std::unique_ptr<SideTable> table, Keeps keeps) {
  MOULT_FAULT("additions.fields.add");
  const ObjectClass& owner = object_class_of(*kind.owner);
  return known_fields().with([&](std::vector<KnownField>& known) -> SideTable& {
    KnownField* same = find(known, owner, kind.name);
    require_free(same, kind);
    KnownField added{&owner, kind.name, kind.type, kind.size, kind.alignment, table.get(), keeps};
    if (same != nullptr)
      *same = std::move(added);
    else
      known.push_back(std::move(added));
    table->publish();
    return *table.release();
  });
}

void remove_field(const SideTable& table) noexcept {
  known_fields().with([&](std::vector<KnownField>& known) {
    std::erase_if(known, [&](const KnownField& each) { return each.table == &table; });
  });
}

SideTable* find_field(const detail::FieldKind& kind) {
  const ObjectClass& owner = object_class_of(*kind.owner);
  SideTable* table = known_fields().with([&](std::vector<KnownField>& known) -> SideTable* {
    const KnownField* found = find(known, owner, kind.name);
    if (found == nullptr) return nullptr;
    require_type(*found, kind);
    return found->table;
  });
  if (table == nullptr) return nullptr;
  if (std::optional<CodeRange> module = library_around(kind.module)) table->add_user(*module);
  return table;
}

}  // namespace moult::internal

namespace moult::detail::inline MOULT_ABI_NAMESPACE {

OpaqueSideTable* find_field(const FieldKind& kind) { return internal::find_field(kind); }

OpaqueSideTable& require_field(const FieldKind& kind) {
  if (internal::SideTable* table = internal::find_field(kind)) return *table;
  throw Error(ErrorCode::not_found, internal::describe_field(kind) + " is not there: no applied update has added it");
}

SideValue* find_value(const OpaqueSideTable& table, const void* object) noexcept {
  return internal::behind<internal::SideTable>(table).find(object);
}

SideValue& value_of(OpaqueSideTable& table, void* object) {
  return internal::behind<internal::SideTable>(table).value_of(object);
}

SideValue& give_value(OpaqueSideTable& field, void* object, std::unique_ptr<SideValue> value) {
  auto& table = internal::behind<internal::SideTable>(field);
  const SideValue* given = value.get();
  SideValue& kept = table.add(object, std::move(value));
  if (&kept != given) throw Error(ErrorCode::invalid_argument, table.name() + ": the object has a value already");
  return kept;
}

bool makes_values(const OpaqueSideTable& table) noexcept {
  return internal::behind<internal::SideTable>(table).makes_values();
}

std::string name_of_type(const std::type_info& type) { return internal::object_class_of(type).name.text(); }

}  // namespace moult::detail::inline MOULT_ABI_NAMESPACE

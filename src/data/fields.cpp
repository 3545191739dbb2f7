// Why: two updates that know nothing of each other add a field and use it. What they share is the class's name, the
// field's name, and that they mean the same type by it.
//
// Limit: two types of one name and size pass for the same, whatever is in them: give a changed one another name.
#include "data/fields.hpp"

#include <algorithm>
#include <vector>

#include "base/fault.hpp"
#include "moult/error.hpp"
#include "threads/dynamic_symbols.hpp"

namespace moult::data {
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

/// Used by handles with static storage duration too, so it is never destroyed.
Guarded<std::vector<KnownField>>& known_fields() {
  static Guarded<std::vector<KnownField>>& made = *new Guarded<std::vector<KnownField>>;
  return made;
}

std::string words_of(const std::type_info& type, std::size_t size) {
  return object_class_of(type).readable + " (" + std::to_string(size) + " bytes)";
}

/// With the lock of the registry held: nothing here takes it again.
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
  return "the field " + kind.name + " of " + object_class_of(*kind.owner).readable;
}

void refuse_second_field(const detail::FieldKind& kind) {
  const ObjectClass& owner = object_class_of(*kind.owner);
  known_fields().with([&](std::vector<KnownField>& known) { require_free(find(known, owner, kind.name), kind); });
}

SideTable& add_field(const detail::FieldKind& kind, std::unique_ptr<SideTable> table, Keeps keeps) {
  MOULT_FAULT("data.fields.add");
  const ObjectClass& owner = object_class_of(*kind.owner);
  return known_fields().with([&](std::vector<KnownField>& known) -> SideTable& {
    KnownField* same = find(known, owner, kind.name);
    require_free(same, kind);
    KnownField fresh{&owner, kind.name, kind.type, kind.size, kind.alignment, table.get(), keeps};
    if (same != nullptr)
      *same = std::move(fresh);
    else
      known.push_back(std::move(fresh));
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
  if (std::optional<CodeRange> module = threads::library_around(kind.module)) table->add_user(*module);
  return table;
}

}  // namespace moult::data

namespace moult::detail {

data::SideTable* find_field(const FieldKind& kind) { return data::find_field(kind); }

data::SideTable& require_field(const FieldKind& kind) {
  if (data::SideTable* table = data::find_field(kind)) return *table;
  throw Error(ErrorCode::not_found, data::describe_field(kind) + " is not there: no update in force has added it");
}

SideValue* find_value(const data::SideTable& table, const void* object) noexcept { return table.find(object); }

SideValue& value_of(data::SideTable& table, void* object) { return table.value_of(object); }

SideValue& give_value(data::SideTable& table, void* object, std::unique_ptr<SideValue> fresh) {
  const SideValue* given = fresh.get();
  SideValue& kept = table.add(object, std::move(fresh));
  if (&kept != given) throw Error(ErrorCode::invalid_argument, table.name() + ": the object has a value already");
  return kept;
}

bool makes_values(const data::SideTable& table) noexcept { return table.makes_values(); }

std::string name_of_type(const std::type_info& type) { return data::object_class_of(type).readable; }

}  // namespace moult::detail

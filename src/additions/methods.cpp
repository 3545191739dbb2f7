// Problem: code compiled before cannot call a method that is added later. Updates can: they must find it without
// knowing each other, and reach the newest version, for objects of any class in a hierarchy.
//
// Approach: one table for each name and signature maps classes to functions. A call looks up the whole object's class,
// then its bases, the nearest first, as a virtual call would. The answer is cached until a method is added or removed.
// A converted object's class may be unrelated to the class the caller knows it by; then that class is looked up.
//
// Limits: with several bases, the one declared first is searched first, with all its own bases; virtual bases are left
// out.
#include "additions/methods.hpp"

#include <algorithm>
#include <atomic>
#include <deque>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "base/code_record.hpp"
#include "base/fault.hpp"
#include "base/guarded.hpp"
#include "base/opaque.hpp"
#include "moult/detail/opaque.hpp"
#include "moult/error.hpp"
#include "pools/object_class.hpp"

namespace moult::internal {

/// A name's active methods.
struct MethodTable : public detail::OpaqueMethodTable {
  MethodTable(std::string wanted, const ObjectClass& type) : name(std::move(wanted)), signature(type) {}

  struct Entry {
    const ObjectClass* owner;
    detail::Code function;
    detail::Code invoker;
    std::uint64_t number;
    CodeRecord record{};
  };
  struct State {
    std::vector<Entry> entries;  // the newest last
    std::map<std::pair<const std::type_info*, const std::type_info*>, detail::MethodTarget> targets;
  };

  const std::string name;
  const ObjectClass& signature;
  Guarded<State> state;
};

namespace {

using Tables = std::deque<MethodTable>;

/// Never destroyed: handles with static storage duration use it too.
Guarded<Tables>& known_tables() {
  static Guarded<Tables>& made = *new Guarded<Tables>;
  return made;
}

constinit std::atomic<std::uint64_t> last_number{0};

MethodTable& table_of(const detail::MethodKind& kind) {
  const ObjectClass& signature = object_class_of(*kind.signature);
  return known_tables().with([&](Tables& tables) -> MethodTable& {
    for (MethodTable& each : tables)
      if (each.name == kind.name && &each.signature == &signature) return each;
    return tables.emplace_back(kind.name, signature);
  });
}

const MethodTable::Entry* newest_of(const std::vector<MethodTable::Entry>& entries, const std::string& owner) {
  auto found = std::find_if(entries.rbegin(), entries.rend(),
                            [&](const MethodTable::Entry& each) { return each.owner->mangled == owner; });
  return found == entries.rend() ? nullptr : &*found;
}

/// The method of that class, or of its nearest base with one.
std::optional<detail::MethodTarget> target_for(const std::vector<MethodTable::Entry>& entries,
                                               const ObjectClass& wanted) {
  if (const MethodTable::Entry* own = newest_of(entries, wanted.mangled))
    return {{own->function, own->invoker, 0, true}};
  for (const FixedBase& base : wanted.bases)
    if (const MethodTable::Entry* inherited = newest_of(entries, base.mangled))
      return {{inherited->function, inherited->invoker, base.offset, true}};
  return std::nullopt;
}

std::optional<detail::MethodTarget> find_target(MethodTable& table, const std::type_info& whole,
                                                const std::type_info& named) {
  const ObjectClass& whole_class = object_class_of(whole);
  const ObjectClass& named_class = object_class_of(named);
  return table.state.with([&](MethodTable::State& state) -> std::optional<detail::MethodTarget> {
    std::optional<detail::MethodTarget> target = target_for(state.entries, whole_class);
    if (!target && (target = target_for(state.entries, named_class))) target->is_of_whole = false;
    if (target) state.targets.emplace(std::pair(&whole, &named), *target);
    return target;
  });
}

/// The argument of std::type_identity.
std::string words_of(const ObjectClass& signature) {
  const std::string& name = signature.name.text();
  const std::size_t begin = name.find('<') + 1;
  return name.substr(begin, name.rfind('>') - begin);
}

/// The methods of that name, for a message.
std::string others_of(const std::string& name) {
  std::string list;
  known_tables().with([&](Tables& tables) {
    for (MethodTable& each : tables)
      if (each.name == name)
        each.state.with([&](const MethodTable::State& state) {
          for (const MethodTable::Entry& entry : state.entries)
            list += (list.empty() ? "" : ", ") + entry.owner->name.text() + "'s, " + words_of(each.signature);
        });
  });
  return list;
}

[[noreturn]] void throw_not_found(const detail::MethodKind& kind) {
  const std::string others = others_of(kind.name);
  throw Error(ErrorCode::not_found, describe_method(kind) + ", is not there: no applied update has added it" +
                                        (others.empty() ? std::string() : "; of that name there is " + others));
}

}  // namespace

std::uint64_t add_method(const detail::MethodKind& kind, detail::Code function, detail::Code invoker) {
  MOULT_FAULT("additions.methods.add");
  const ObjectClass& owner = object_class_of(*kind.owner);
  MethodTable& table = table_of(kind);
  const std::uint64_t number = 1 + last_number.fetch_add(1);
  CodeRecord record(CodeUse::called_later,
                    {reinterpret_cast<const void*>(function), reinterpret_cast<const void*>(invoker)});
  keep_after_stop(record);
  table.state.with([&](MethodTable::State& state) {
    state.entries.push_back({&owner, function, invoker, number, std::move(record)});
    state.targets.clear();
  });
  return number;
}

void remove_method(std::uint64_t number) noexcept {
  known_tables().with([&](Tables& tables) {
    for (MethodTable& each : tables)
      each.state.with([&](MethodTable::State& state) {
        if (std::erase_if(state.entries, [&](const MethodTable::Entry& entry) { return entry.number == number; }) > 0)
          state.targets.clear();
      });
  });
}

std::string describe_method(const detail::MethodKind& kind) {
  return "the method " + kind.name + " of " + object_class_of(*kind.owner).name.text() + ", " +
         words_of(object_class_of(*kind.signature));
}

}  // namespace moult::internal

namespace moult::detail::inline MOULT_ABI_NAMESPACE {

OpaqueMethodTable& require_methods(const MethodKind& kind) {
  internal::MethodTable& table = internal::table_of(kind);
  if (!internal::find_target(table, *kind.owner, *kind.owner)) internal::throw_not_found(kind);
  return table;
}

MethodTarget target_in(OpaqueMethodTable& table, const std::type_info& whole, const std::type_info& named) {
  auto& methods = internal::behind<internal::MethodTable>(table);
  std::optional<MethodTarget> known = methods.state.with([&](const internal::MethodTable::State& state) {
    auto found = state.targets.find({&whole, &named});
    return found == state.targets.end() ? std::nullopt : std::optional(found->second);
  });
  if (!known) known = internal::find_target(methods, whole, named);
  if (known) return *known;
  throw Error(ErrorCode::not_found, "the method " + methods.name + " of " +
                                        internal::object_class_of(named).name.text() +
                                        " was rolled back; no applied update has it");
}

}  // namespace moult::detail::inline MOULT_ABI_NAMESPACE

// Problem: an update that writes to a variable of the program by itself changes it while threads run, and the value
// stays when the update fails or is rolled back.
//
// Approach: the new value is made beforehand, and exchanged with the old one in the stop of the update's other changes.
// A second exchange is the undo. No value is copied or destroyed in between, so the old one comes back as it was,
// whatever it owns. moult::variable has compared the type with the program's debug information while the program ran.
// So only what it has found is accepted, and no debug information is read in the stop. The old value's text is made
// there: while the program runs, a thread that assigns to a string may free what is being copied.
//
// Limits: a value that the program has changed since is not overwritten by a rollback, which is refused as a whole: the
// new value may be the program's own work, or that of a later update. Whether it was written again with the same value
// is not seen. Nor is code that had read the old value before the stop. A dry run does not tell the old value.
#include <array>
#include <cstdio>
#include <iterator>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "base/code_record.hpp"
#include "base/fault.hpp"
#include "base/guarded.hpp"
#include "base/names.hpp"
#include "base/transaction.hpp"
#include "base/untracked_change.hpp"
#include "functions/known_variables.hpp"
#include "moult/error.hpp"
#include "moult/variable.hpp"
#include "platform/memory.hpp"
#include "threads/current_stop.hpp"

namespace moult::internal {
namespace {

using Known = std::map<std::uintptr_t, KnownVariable>;

/// Never destroyed: updates may be applied when the process exits.
Guarded<Known>& known_variables() {
  static auto& known = *new Guarded<Known>;
  return known;
}

/// A value that an update has given to a variable.
struct VariableValue {
  HandedOver<std::shared_ptr<detail::ValueExchange>> exchange;
  std::string name;
  std::uint64_t update = 0;
  std::shared_ptr<VariableValue> before;  ///< the one that it replaces, of whatever update
  bool has_run = false;                   ///< the program has run with it
  std::uint64_t replaced_by = 0;          ///< the update that has set the variable since
};

/// The last value that an update gave to the variable at an address.
Guarded<std::map<std::uintptr_t, std::shared_ptr<VariableValue>>>& last_values() {
  static auto& values = *new Guarded<std::map<std::uintptr_t, std::shared_ptr<VariableValue>>>;
  return values;
}

std::string hex(std::uintptr_t address) {
  std::array<char, 24> text{};
  std::snprintf(text.data(), text.size(), "0x%zx", address);
  return text.data();
}

/// "app::limit", or "app::config (4 bytes, 8 bytes from its beginning)".
std::string require_found(std::uintptr_t address, const std::type_info& type, std::size_t size) {
  const std::optional<KnownVariable> found = known_variable_at(address, size);
  const std::string asked = name_of_type(type);
  if (!found)
    throw Error(ErrorCode::invalid_argument,
                "the " + asked + " at " + hex(address) +
                    " cannot be set: moult::variable has not found it, so its type is not "
                    "known to be the program's; find it in prepare, with moult::variable<" +
                    asked + ">(\"its name\")");
  if (found->size != size)
    return found->name + " (" + std::to_string(size) + " bytes, " + std::to_string(address - found->address) +
           " bytes from its beginning)";
  if (found->type != asked)
    throw Error(ErrorCode::signature_mismatch, found->name + ": it is a " + found->type + ", and cannot be set as " +
                                                   asked + "; use the reference that moult::variable gives");
  return found->name;
}

/// By writing the bytes that are there.
void require_writable(const std::string& name, std::uintptr_t address, std::size_t size) {
  std::vector<std::byte> bytes(size);
  if (!read_memory(address, bytes) || !write_memory(address, bytes))
    throw Error(ErrorCode::unsupported, name +
                                            ": lies in memory that cannot be written: it may be a constant, which code "
                                            "has copied; nothing was changed");
}

/// "app::limit set to 100, it was 3".
std::string line_of(const std::string& name, const std::string& before, const std::string& after) {
  return name + " set" + (after.empty() ? "" : " to " + after) + (before.empty() ? "" : ", it was " + before);
}

/// Several values of one update are one change: the last one decides.
void require_unchanged(const VariableValue& value) {
  if (!value.has_run || value.replaced_by == value.update) return;
  if (value.replaced_by != 0)
    throw Error(ErrorCode::unsupported, value.name + ": update " + std::to_string(value.replaced_by) +
                                            " has set it since; roll that one back first");
  if (!value.exchange.call->is_as_set())
    throw Error(ErrorCode::unsupported,
                value.name +
                    ": the program has given it another value since, which would be lost; set it by another update "
                    "and roll back then, or leave this one applied");
}

void undo(std::uintptr_t address, const VariableValue& value) {
  value.exchange.call->exchange();
  last_values().with([&](auto& values) {
    const auto last = values.find(address);
    if (last == values.end() || last->second.get() != &value) return;
    if (value.before != nullptr) {
      value.before->replaced_by = 0;
      last->second = value.before;
    } else {
      values.erase(last);
    }
  });
}

void record(Transaction& transaction, std::uintptr_t address, const std::shared_ptr<VariableValue>& value,
            std::string line) {
  value->update = transaction.update();
  last_values().with([&](auto& values) {
    std::shared_ptr<VariableValue>& last = values[address];
    value->before = last;
  });
  transaction.before_resume([value] { value->has_run = true; });
  transaction.add({.what = {std::move(line)},
                   .check = [value] { require_unchanged(*value); },
                   .undo = [address, value] { undo(address, *value); }});
  last_values().with([&](auto& values) { values[address] = value; });
  if (value->before != nullptr) value->before->replaced_by = value->update;
}

}  // namespace

void note_known_variable(KnownVariable variable) {
  known_variables().with([&](Known& known) {
    KnownVariable& one = known[variable.address];
    if (variable.size >= one.size) one = std::move(variable);
  });
}

std::optional<KnownVariable> known_variable_at(std::uintptr_t address, std::size_t size) {
  return known_variables().with([&](const Known& known) -> std::optional<KnownVariable> {
    const auto next = known.upper_bound(address);
    if (next == known.begin()) return std::nullopt;
    const KnownVariable& variable = std::prev(next)->second;
    if (address + size > variable.address + variable.size) return std::nullopt;
    return variable;
  });
}

}  // namespace moult::internal

namespace moult::detail::inline MOULT_ABI_NAMESPACE {

void set_variable(void* address, const std::type_info& type, std::size_t size, std::shared_ptr<ValueExchange> exchange,
                  const std::string& after) {
  const auto place = reinterpret_cast<std::uintptr_t>(address);
  const std::string name = internal::require_found(place, type, size);
  std::string line = internal::line_of(name, "", after);
  const auto value = std::make_shared<internal::VariableValue>();
  value->name = name;
  value->exchange = {.record = {internal::CodeUse::called_later, {internal::vtable_of(exchange.get())}},
                     .call = std::move(exchange)};
  internal::change_untracked(
      [&] {
        internal::in_stopped_world({.timeout = std::chrono::seconds(1), .keep_out = {}},
                                   [&](const internal::StoppedWorld&) {
                                     internal::require_writable(name, place, size);
                                     line = internal::line_of(name, value->exchange.call->text(), after);
                                     MOULT_FAULT("functions.set_variable.record");
                                     if (internal::Transaction* const transaction = internal::Transaction::current())
                                       internal::record(*transaction, place, value, line);
                                     value->exchange.call->exchange();
                                   });
      },
      [&] { return std::vector<std::string>{line}; });
}

}  // namespace moult::detail::inline MOULT_ABI_NAMESPACE

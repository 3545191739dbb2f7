#include "code/patch_table.hpp"

#include <algorithm>
#include <cstring>
#include <set>

#include "base/check.hpp"
#include "base/fault.hpp"
#include "moult/error.hpp"

namespace moult::internal {
namespace {

/// Copies the bytes of entry.original that lie in `range` into `copy`, the bytes of `range`.
void overlay(const Entry& entry, CodeRange range, std::span<std::uint8_t> copy) {
  for (std::size_t i = 0; i < entry.width; ++i)
    if (range.contains(entry.place + i)) copy[value(entry.place) + i - value(range.begin)] = entry.original[i];
}

std::string circle_text(const std::string& name) {
  return name + ": calls of its replacement already continue in " + name +
         ", so they would never end; roll the earlier redefinition back instead";
}

}  // namespace

std::vector<std::uint8_t> PatchTable::original_bytes(CodeRange range) const {
  const std::uint8_t* begin = reinterpret_cast<const std::uint8_t*>(value(range.begin));
  std::vector<std::uint8_t> copy(begin, begin + range.size());
  // A jump may lie a little behind its function's beginning, so the entry before counts too.
  auto entry = entries_.lower_bound(range.begin);
  if (entry != entries_.begin()) --entry;
  for (; entry != entries_.end() && entry->first < range.end; ++entry) overlay(entry->second, range, copy);
  return copy;
}

Redirection& PatchTable::add(const std::string& name, CodeAddress function, const EntryPlan& plan,
                             std::span<const std::uint8_t> original, CodeAddress replacement) {
  MOULT_FAULT("code.registry.add");
  refuse_circle(name, function, replacement);
  std::unique_ptr<Redirection> redirection = std::make_unique<Redirection>();
  Entry& entry = entry_for(name, function, plan, original);
  redirection->entry = &entry;
  redirection->replacement = replacement;
  try {
    entry.redirections.reserve(entry.redirections.size() + 1);
    if (!x86_64::jump_to(plan.place, replacement)) redirection->slot = slots_.take(name, plan.place, replacement);
  } catch (...) {
    forget_if_unused(entry);
    throw;
  }
  encode_jump(*redirection, plan.room);
  entry.redirections.push_back(std::move(redirection));
  return *entry.redirections.back();
}

void PatchTable::refuse_superseded(const std::string& name, CodeAddress function, std::uint64_t update) const {
  auto entry = entries_.find(function);
  if (entry == entries_.end() || update == 0) return;
  const Redirection* newer = entry->second.newest;
  while (newer != nullptr && newer->update <= update) newer = newer->older;
  if (newer == nullptr) return;
  throw Error(ErrorCode::superseded, name + ": update " + std::to_string(newer->update) +
                                         ", which was submitted later, has redefined it already; submit this one "
                                         "again to replace it");
}

void PatchTable::remove(Redirection& redirection) noexcept {
  MOULT_CHECK(redirection.state != Redirection::State::applied, "an applied jump cannot be removed");
  // A thread may be on its way through the slot of a jump that was applied: that slot is not used again.
  bool is_slot_free = redirection.state == Redirection::State::prepared || !redirection.enters_slot;
  if (redirection.slot != nullptr && is_slot_free) slots_.give_back(redirection.slot);
  Entry& entry = *redirection.entry;
  std::erase_if(entry.redirections,
                [&](const std::unique_ptr<Redirection>& each) { return each.get() == &redirection; });
  forget_if_unused(entry);
}

std::vector<const Redirection*> PatchTable::committed_from(CodeAddress function) const {
  std::vector<const Redirection*> found;
  std::set<CodeAddress> seen;
  std::vector<CodeAddress> ahead{function};
  while (!ahead.empty()) {
    const CodeAddress at = ahead.back();
    ahead.pop_back();
    auto entry = entries_.find(at);
    if (entry == entries_.end() || !seen.insert(at).second) continue;
    for (const std::unique_ptr<Redirection>& redirection : entry->second.redirections) {
      if (redirection->state == Redirection::State::prepared) continue;
      found.push_back(redirection.get());
      ahead.push_back(redirection->replacement);
    }
  }
  return found;
}

const OriginalWay* PatchTable::original_way(CodeAddress function, const void* module, CodeAddress compiled) const {
  const auto first = originals_.find(function);
  const OriginalWay* way = first == originals_.end() ? nullptr : first->second.get();
  while (way != nullptr && (way->module != module || way->compiled != compiled)) way = way->next.get();
  return way;
}

const OriginalWay& PatchTable::add_original_way(CodeAddress function, std::unique_ptr<OriginalWay> way) {
  std::unique_ptr<OriginalWay>& first = originals_[function];
  const auto entry = entries_.find(function);
  way->target = entry == entries_.end() ? way->compiled : version_without(entry->second, way->module, way->compiled);
  way->next = std::move(first);
  first = std::move(way);
  if (entry != entries_.end()) entry->second.originals = first.get();
  return *first;
}

Entry& PatchTable::entry_for(const std::string& name, CodeAddress function, const EntryPlan& plan,
                             std::span<const std::uint8_t> original) {
  auto known = entries_.find(function);
  if (known != entries_.end()) return known->second;
  std::size_t width = std::min(plan.room, longest_jump);
  MOULT_CHECK(original.size() >= width, "not all bytes of an entry were saved");
  refuse_overlap(name, function, {plan.place, plan.place + width});
  Entry& entry = entries_.try_emplace(function).first->second;
  entry.name = name;
  entry.function = function;
  entry.place = plan.place;
  entry.width = width;
  std::memcpy(entry.original.data(), original.data(), width);
  entry.written = entry.original;
  if (const auto ways = originals_.find(function); ways != originals_.end()) entry.originals = ways->second.get();
  return entry;
}

void PatchTable::refuse_circle(const std::string& name, CodeAddress function, CodeAddress replacement) const {
  std::set<CodeAddress> seen;
  std::vector<CodeAddress> ahead{replacement};
  while (!ahead.empty()) {
    CodeAddress at = ahead.back();
    ahead.pop_back();
    if (at == function) throw Error(ErrorCode::invalid_argument, circle_text(name));
    auto entry = entries_.find(at);
    if (entry == entries_.end() || !seen.insert(at).second) continue;
    for (const std::unique_ptr<Redirection>& redirection : entry->second.redirections)
      if (redirection->state != Redirection::State::reverted) ahead.push_back(redirection->replacement);
  }
}

void PatchTable::refuse_overlap(const std::string& name, CodeAddress function, CodeRange overwritten) const {
  auto next = entries_.lower_bound(function);
  auto refuse_if_shared = [&](const Entry& other) {
    if (other.overwritten().begin < overwritten.end && overwritten.begin < other.overwritten().end)
      throw Error(ErrorCode::unsupported_code, name + ": its first bytes are also those of " + other.name +
                                                   ", which is redefined already; redefine only one of the two");
  };
  if (next != entries_.end()) refuse_if_shared(next->second);
  if (next != entries_.begin()) refuse_if_shared(std::prev(next)->second);
}

void PatchTable::forget_if_unused(const Entry& entry) noexcept {
  if (entry.redirections.empty()) entries_.erase(entry.function);
}

}  // namespace moult::internal

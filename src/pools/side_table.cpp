// Problem: an object without room for a new field can have the field's value beside it. Any thread must find the value,
// and it must not outlive the object, because a later object gets the same address.
//
// Approach: each field has a table, from the address of an object in a pool to the value. The table has 32 shards with
// a lock each. No code of the program runs under these locks: values are made before they are added, and destroyed
// after they are taken out. The first value of a pool's objects sets a mark in the pool (Pool::Care). Deallocation in a
// marked pool takes the object's values out, frees the slot, and then destroys the values (thread_slabs.cpp). A thread
// that deletes an object has synchronised with the object's users, so it sees the mark. Other pools pay nothing.
//
// The maker's module is on record, and so is the module of each type of value, for its destructor. Both stay once the
// program has run with them: handles to the table make and destroy values after the field is removed.
//
// Limits: objects outside of pools are refused, because no deallocation reports their end. In a marked pool each
// deletion looks into every table that has values, of whatever class. The mark is never removed.
#include "pools/side_table.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "moult/error.hpp"
#include "pools/class_pools.hpp"

namespace moult::internal {
namespace {

constinit std::atomic<SideTable*> newest{nullptr};
constinit std::atomic<std::uint64_t> last_number{0};

/// Addresses of one pool differ in their middle bits; the multiplication moves these to the top (Fibonacci hashing).
std::size_t hash_of(const void* object) noexcept {
  return (reinterpret_cast<std::uintptr_t>(object) * 0x9e3779b97f4a7c15) >> 16;
}

const Region* region_of(const Pool& pool, const void* address) noexcept {
  const Region* region = pool.first_region();
  while (region != nullptr && !region->contains(address)) region = region->next.load();
  return region;
}

const Region* region_around(const void* address) {
  const Region* found = nullptr;
  for (const ClassPools* each : all_class_pools())
    each->for_each([&](const Pool& pool) {
      if (found == nullptr) found = region_of(pool, address);
    });
  return found;
}

/// Whether a live slot begins at the address.
bool is_object(const Region& region, const void* address) noexcept {
  const Geometry& cut = region.cut();
  if (region.index_of(address) >= region.slabs_end()) return false;
  std::size_t offset = Region::offset_of(address) & cut.offset_mask;
  std::uint32_t number = cut.slot_at(offset);
  if (number >= cut.slots || number * std::size_t{cut.slot_size} != offset) return false;
  return region.is_live(address);
}

Pool& pool_of_object(const void* object, const std::string& field) {
  const Region* region = region_around(object);
  if (region == nullptr)
    throw Error(ErrorCode::unsupported,
                field + ": the object at " + hex_text(reinterpret_cast<std::uintptr_t>(object)) +
                    " is in no pool, so that nobody tells when it dies (it is on the stack, static, a part of another, "
                    "or of a container); make it with new, or keep the value with its owner");
  if (!is_object(*region, object))
    throw Error(ErrorCode::unsupported,
                field + ": no object of the pool of " + region->pool().object_class().name.text() + " begins at " +
                    hex_text(reinterpret_cast<std::uintptr_t>(object)) +
                    "; the class must be the first base of the object's own, and the object must live");
  return region->pool();
}

}  // namespace

LooseValues::LooseValues(LooseValues&& other) noexcept
    : first_(std::exchange(other.first_, nullptr)), end_(std::exchange(other.end_, &other.first_)) {
  if (first_ == nullptr) end_ = &first_;
}

void LooseValues::destroy() noexcept {
  while (first_ != nullptr) {
    detail::SideValue* value = first_;
    first_ = value->next;
    delete value;
  }
  end_ = &first_;
}

void LooseValues::add(detail::SideValue& value) noexcept {
  value.next = nullptr;
  *end_ = &value;
  end_ = &value.next;
}

SideTable::SideTable(std::string name, detail::MakeValue make, const void* maker)
    : name_(std::move(name)), make_(std::move(make)) {
  if (make_ && maker != nullptr) note_code(maker);
}

void SideTable::note_code(const void* place) {
  const auto is_it = [place](const auto& noted) { return noted.first == place; };
  if (code_.with([&](const auto& all) { return std::any_of(all.begin(), all.end(), is_it); })) return;
  CodeRecord record(CodeUse::called_later, {place});
  code_.with([&](auto& all) { all.emplace_back(place, record); });
  keep_after_stop(std::move(record));
}

/// The value's vtable leads to its destructor: it lies in the same module.
void SideTable::note_code_of(const detail::SideValue& value) {
  const void* vtable = nullptr;
  std::memcpy(&vtable, static_cast<const void*>(&value), sizeof vtable);
  if (last_code_.load(std::memory_order_relaxed) == vtable) return;
  note_code(vtable);
  last_code_.store(vtable, std::memory_order_relaxed);
}

void SideTable::forget_code() noexcept {
  code_.with([](auto& all) { all.clear(); });
  last_code_ = nullptr;
}

Guarded<SideTable::Shard>& SideTable::shard_of(const void* object) const noexcept {
  return shards_[hash_of(object) % shard_count];
}

/// The link to the object's value, or the link that it would have.
detail::SideValue** SideTable::Shard::place_of(const void* object) noexcept {
  detail::SideValue** place = &chains[hash_of(object) / shard_count & (chains.size() - 1)];
  while (*place != nullptr && (*place)->object != object) place = &(*place)->next;
  return place;
}

void SideTable::Shard::make_room() {
  if (count < chains.size()) return;
  std::vector<detail::SideValue*> wider(std::max<std::size_t>(16, 2 * chains.size()));
  chains.swap(wider);
  for (detail::SideValue* each : wider)
    while (each != nullptr) {
      detail::SideValue* next = std::exchange(each->next, nullptr);
      *place_of(each->object) = each;
      each = next;
    }
}

detail::SideValue* SideTable::find(const void* object) const noexcept {
  return shard_of(object).with([&](Shard& shard) { return shard.chains.empty() ? nullptr : *shard.place_of(object); });
}

detail::SideValue& SideTable::value_of(void* object) {
  if (detail::SideValue* found = find(object)) return *found;
  if (!make_)
    throw Error(ErrorCode::not_found, name_ + ": the object at " + hex_text(reinterpret_cast<std::uintptr_t>(object)) +
                                          " has none; give it one, or look before (Field::find, has_mixin)");
  return add(object, make_(object));
}

detail::SideValue& SideTable::add(const void* object, std::unique_ptr<detail::SideValue> value) {
  Pool& pool = pool_of_object(object, name_);
  pool.add_care(Pool::drop_values);
  note_code_of(*value);
  value->object = object;
  value->number = 1 + last_number.fetch_add(1, std::memory_order_relaxed);
  return shard_of(object).with([&](Shard& shard) -> detail::SideValue& {
    shard.make_room();
    detail::SideValue** place = shard.place_of(object);
    if (*place != nullptr) return **place;
    ++shard.count;
    count_.fetch_add(1, std::memory_order_relaxed);
    return *(*place = value.release());
  });
}

template <class Matches>
detail::SideValue* SideTable::take_if(const void* object, Matches&& matches) noexcept {
  if (count() == 0) return nullptr;
  return shard_of(object).with([&](Shard& shard) -> detail::SideValue* {
    if (shard.chains.empty()) return nullptr;
    detail::SideValue** place = shard.place_of(object);
    detail::SideValue* value = *place;
    if (value == nullptr || !matches(*value)) return nullptr;
    *place = value->next;
    --shard.count;
    count_.fetch_sub(1, std::memory_order_relaxed);
    return value;
  });
}

detail::SideValue* SideTable::take(const void* object) noexcept {
  return take_if(object, [](const detail::SideValue&) { return true; });
}

detail::SideValue* SideTable::take(const void* object, std::uint64_t number) noexcept {
  return take_if(object, [number](const detail::SideValue& value) { return value.number == number; });
}

LooseValues SideTable::take_all() noexcept {
  LooseValues all;
  for (Guarded<Shard>& each : shards_)
    each.with([&](Shard& shard) {
      for (detail::SideValue*& first : shard.chains)
        while (first != nullptr) all.add(*std::exchange(first, first->next));
      count_.fetch_sub(std::exchange(shard.count, 0), std::memory_order_relaxed);
    });
  return all;
}

SideTable* SideTable::first() noexcept { return newest.load(std::memory_order_acquire); }

void SideTable::publish() noexcept {
  next_ = newest.load(std::memory_order_relaxed);
  while (!newest.compare_exchange_weak(next_, this, std::memory_order_release, std::memory_order_relaxed)) {
  }
}

void SideTable::add_user(const CodeRange& module) {
  users_.with([&](std::vector<CodeRange>& users) {
    for (const CodeRange& each : users)
      if (each.begin == module.begin) return;
    users.push_back(module);
  });
}

std::vector<CodeRange> SideTable::users() const {
  return users_.with([](const std::vector<CodeRange>& users) { return users; });
}

LooseValues take_values(const void* slot) noexcept {
  LooseValues taken;
  for (SideTable* table = SideTable::first(); table != nullptr; table = table->next())
    if (detail::SideValue* value = table->take(slot)) taken.add(*value);
  return taken;
}

}  // namespace moult::internal

// Problem: sometimes an update must change pointers. A function is called through them and cannot be redefined at its
// entry, or only some of its users change. A data structure is replaced as a whole, with everything that points to it.
//
// Approach: the heap walk (heap_walk.hpp) looks for pointers of the type instead of objects of a class. It finds all of
// them before the first one is set. A pointer to the old target in read-only memory refuses the change.
//
// Undo: in the same stop the old values are restored. Later, a place may have been freed and reused. So the walk is
// repeated, and must find each place with the value that was set.
//
// Limits: those of the walk. A pointer that is unreachable, or behind something that is not followed, keeps the old
// target.
#include "heap/redirection.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.hpp"
#include "base/code_record.hpp"
#include "base/fault.hpp"
#include "base/names.hpp"
#include "base/untracked_change.hpp"
#include "convert/lazy_conversion.hpp"
#include "heap/heap_walk.hpp"
#include "moult/error.hpp"
#include "platform/memory.hpp"
#include "symbols/heap_plan.hpp"
#include "symbols/program.hpp"
#include "threads/current_stop.hpp"

namespace moult::internal {

struct PointerChange::State {
  struct Found {
    std::uintptr_t address = 0;
    std::string way;
  };

  bool holds(std::uintptr_t address, const std::vector<std::byte>& value) const;
  void set_all(const std::vector<std::byte>& value) const noexcept;
  void find(const HeapWalk& walk);
  void require_unchanged(const StoppedWorld& stopped) const;
  std::string line() const;
  UndoStep undo_step(const std::shared_ptr<State>& self) const;

  std::shared_ptr<const PointerSearch> search;
  std::vector<std::byte> before;
  std::vector<std::byte> after;
  std::vector<Found> found;
  CodeRecord record;  ///< of the new target
};

namespace {

constexpr std::size_t most_told = 100;

std::vector<std::byte> bytes_at(const void* value, std::size_t size) {
  const auto* bytes = static_cast<const std::byte*>(value);
  return {bytes, bytes + size};
}

/// The type's name in debug information, where noexcept is no part of a function pointer's type.
std::string name_of_pointer(const std::type_info& type) {
  constexpr std::string_view promise = " noexcept";
  std::string name = name_of_type(type);
  if (name.ends_with(promise)) name.resize(name.size() - promise.size());
  return name;
}

bool is_null(const std::vector<std::byte>& value) {
  return std::all_of(value.begin(), value.end(), [](std::byte one) { return one == std::byte{0}; });
}

}  // namespace

bool PointerChange::State::holds(std::uintptr_t address, const std::vector<std::byte>& value) const {
  std::vector<std::byte> there(value.size());
  return read_memory(address, there) && there == value;
}

void PointerChange::State::set_all(const std::vector<std::byte>& value) const noexcept {
  for (const Found& one : found) {
    const bool is_set = write_memory(one.address, value);
    MOULT_CHECK(is_set, "a pointer could be written a moment ago");
  }
}

void PointerChange::State::find(const HeapWalk& walk) {
  std::set<std::uintptr_t> seen;
  for (const FoundObject& one : walk.found()) {
    const auto address = reinterpret_cast<std::uintptr_t>(one.object);
    if (!holds(address, before) || !seen.insert(address).second) continue;
    found.push_back({address, walk.text_of(one.step)});
    if (!write_memory(address, before))
      throw Error(ErrorCode::unsupported, found.back().way +
                                              " holds the old target and is in memory that cannot be "
                                              "written; redefine the function instead, or take the "
                                              "const away; no pointer was changed");
  }
  if (found.empty())
    throw Error(ErrorCode::not_found,
                "no pointer of type " + search->type() +
                    " that the program's variables lead to holds the old target; look into other modules "
                    "(PointerRedirection::modules), and at what the walk does not follow");
}

void PointerChange::State::require_unchanged(const StoppedWorld& stopped) const {
  const HeapWalk again = search->walk(stopped);
  std::set<std::uintptr_t> there;
  for (const FoundObject& one : again.found()) there.insert(reinterpret_cast<std::uintptr_t>(one.object));
  for (const Found& one : found) {
    const bool is_there = there.contains(one.address);
    if (is_there && holds(one.address, after)) continue;
    throw Error(ErrorCode::unsupported,
                one.way + (is_there ? " was given another value" : " is not found any more") +
                    " since it was redirected, so that it cannot be undone; let another update redirect them");
  }
}

std::string PointerChange::State::line() const {
  constexpr std::size_t most = 3;
  std::string text =
      found.empty() ? "pointers" : std::to_string(found.size()) + (found.size() == 1 ? " pointer" : " pointers");
  text += " of type " + search->type() + " redirected";
  for (std::size_t i = 0; i < std::min(found.size(), most); ++i) text += (i == 0 ? ": " : ", ") + found[i].way;
  return found.size() > most ? text + ", ..." : text;
}

UndoStep PointerChange::State::undo_step(const std::shared_ptr<State>& self) const {
  UndoStep step;
  step.what = {line()};
  step.check = [self] {
    MOULT_FAULT("heap.pointers.undo");
    if (const StoppedWorld* stopped = internal::current_stop()) self->require_unchanged(*stopped);
  };
  step.undo = [self] {
    self->set_all(self->before);
    self->record = {};
  };
  return step;
}

PointerSearch::PointerSearch(const detail::PointerType& type, const PointerRedirection& options)
    : type_(name_of_pointer(*type.type)), size_(type.size) {
  MOULT_FAULT("heap.pointers.prepare");
  require_short_walk("the search for pointers", "make the moult::Pointers in prepare");
  const Program program = Program::of_this_process();
  HeapRequest request;
  request.modules = find_modules(program, options.modules);
  request.follows_raw_pointers = options.raw_pointers == RawPointers::followed;
  request.pointers.push_back({type_, size_});
  if (type.const_type != nullptr && *type.const_type != *type.type)
    request.pointers.push_back({name_of_type(*type.const_type), size_});
  wanted_count_ = request.pointers.size();
  plan_ = plan_heap_walk(program, request);
}

HeapWalk PointerSearch::walk(const StoppedWorld& stopped) const {
  // Pending objects are converted before the walk, whose accesses would convert them one by one.
  finish_lazy_conversions(stopped);
  HeapWalk walk(plan_, std::vector<bool>(wanted_count_, false), stopped);
  walk.run();
  return walk;
}

PointerChange::PointerChange(std::shared_ptr<const PointerSearch> search, const void* old_target,
                             const void* new_target, detail::Caller caller)
    : state_(std::make_shared<State>()) {
  state_->before = bytes_at(old_target, search->size());
  state_->after = bytes_at(new_target, search->size());
  if (is_null(state_->before) || is_null(state_->after))
    throw Error(ErrorCode::invalid_argument,
                "a null pointer of type " + search->type() + " is no target: what holds none cannot be told apart");
  // The first word is a function's address: a pointer to a member function begins with one, too.
  const void* target = nullptr;
  std::memcpy(&target, new_target, sizeof target);
  state_->record = CodeRecord(CodeUse::called_later, {target, caller.module});
  state_->search = std::move(search);
}

PointerChange::PointerChange(PointerChange&&) noexcept = default;
PointerChange& PointerChange::operator=(PointerChange&&) noexcept = default;
PointerChange::~PointerChange() = default;

RedirectedPointers PointerChange::commit(const StoppedWorld& stopped, Transaction* transaction) {
  state_->find(state_->search->walk(stopped));
  RedirectedPointers redirected;
  redirected.count = state_->found.size();
  for (const State::Found& one : state_->found)
    if (redirected.where.size() < most_told) redirected.where.push_back(one.way);
  for (const HeapNote& note : state_->search->not_followed())
    redirected.not_followed.push_back({note.what, note.count, note.first});
  MOULT_FAULT("heap.pointers.record");
  if (transaction != nullptr) transaction->add(state_->undo_step(state_));
  keep_after_stop(state_->record);
  state_->set_all(state_->after);
  return redirected;
}

std::string PointerChange::line() const { return state_->line(); }

}  // namespace moult::internal

namespace moult::detail::inline MOULT_ABI_NAMESPACE {

std::shared_ptr<const OpaquePointerSearch> find_pointers(const PointerType& type, const PointerRedirection& options) {
  return std::make_shared<internal::PointerSearch>(type, options);
}

RedirectedPointers redirect_pointer(const std::shared_ptr<const OpaquePointerSearch>& search, const void* old_target,
                                    const void* new_target, const PointerRedirection& options, Caller caller) {
  internal::PointerChange change(std::static_pointer_cast<const internal::PointerSearch>(search), old_target,
                                 new_target, caller);
  RedirectedPointers redirected;
  internal::change_untracked(
      [&] {
        internal::in_stopped_world({.timeout = options.timeout, .keep_out = {}},
                                   [&](const internal::StoppedWorld& stopped) {
                                     redirected = change.commit(stopped, internal::Transaction::current());
                                   });
      },
      [&] { return std::vector<std::string>{change.line()}; });
  return redirected;
}

}  // namespace moult::detail::inline MOULT_ABI_NAMESPACE

// The order of preparing and committing a patch. entry_plan.cpp, entry.cpp and near_pool.cpp say where, with which
// jumps and through which slots.
//
// Prepare copies the functions as they were compiled and plans the jumps. Then, under the registry's lock, it makes the
// jumps, seals their slots and opens the code pages. The pages are also made present and private before the stop. So
// commit only writes to memory and calls membarrier once: ten thousand functions take well under a millisecond.
//
// An Impl owns what prepare has made so far, from the first moment. Its destructor removes it, so that a step that
// throws leaves no trace.
#include "code/patch.hpp"

#include <algorithm>
#include <cstring>
#include <optional>

#include "base/check.hpp"
#include "base/fault.hpp"
#include "base/guarded.hpp"
#include "code/entry.hpp"
#include "code/entry_plan.hpp"
#include "code/own_calls.hpp"
#include "code/patch_table.hpp"
#include "moult/error.hpp"
#include "platform/memory.hpp"
#include "symbols/program.hpp"
#include "unwind/unwinder.hpp"

namespace moult::internal {
namespace {

/// The process's table of patches. It is never destroyed, because redirected functions are called until the end. A stop
/// is granted only if no thread holds its lock. So code in a stopped program finds it consistent, and commits without a
/// lock.
Guarded<PatchTable>& registry() {
  static Guarded<PatchTable>& only =
      *new Guarded<PatchTable>(address_space(), [](CodeRange region) { register_entry_code(region); });
  return only;
}

/// A target with its compiled bytes.
struct CodeCopy {
  const PatchTarget* target;
  std::vector<std::uint8_t> body;
  std::vector<std::uint8_t> after;
  std::vector<std::vector<std::uint8_t>> fragments;
};

void check_code(const PatchTarget& target, const std::vector<Mapping>& mappings) {
  if (target.range.end < target.range.begin)
    throw Error(ErrorCode::invalid_argument, target.name + ": its end lies before its beginning");
  std::vector<CodeRange> ranges = target.fragments;
  ranges.push_back(target.range);
  for (CodeRange range : ranges) {
    for (std::uintptr_t at : {value(range.begin), value(range.end) - (range.size() > 0 ? 1 : 0)}) {
      const Mapping* mapping = find_mapping(mappings, at);
      if (mapping == nullptr || !allows(mapping->protection, Protection::read | Protection::execute))
        throw Error(ErrorCode::invalid_argument, target.name + ": there is no readable code at its address");
      if (mapping->is_shared)
        throw Error(ErrorCode::unsupported_code,
                    target.name + ": its code is mapped shared with other processes, which the patch would reach too");
    }
  }
}

void check_target(const PatchTarget& target, const std::vector<Mapping>& mappings) {
  if (target.range.begin == target.replacement)
    throw Error(ErrorCode::invalid_argument, target.name + ": cannot be redefined as itself");
  check_code(target, mappings);
}

void check_targets(std::span<const PatchTarget> targets, const std::vector<Mapping>& mappings) {
  std::vector<const PatchTarget*> by_entry;
  for (const PatchTarget& target : targets) {
    check_target(target, mappings);
    by_entry.push_back(&target);
  }
  std::sort(by_entry.begin(), by_entry.end(),
            [](const PatchTarget* a, const PatchTarget* b) { return a->range.begin < b->range.begin; });
  auto twice = std::adjacent_find(by_entry.begin(), by_entry.end(), [](const PatchTarget* a, const PatchTarget* b) {
    return a->range.begin == b->range.begin;
  });
  if (twice != by_entry.end())
    throw Error(ErrorCode::invalid_argument,
                (*twice)->name + " and " + twice[1]->name + " are one function; give it one replacement only");
}

bool needs_padding(const PatchTarget& target) {
  const std::uint8_t* begin = reinterpret_cast<const std::uint8_t*>(value(target.range.begin));
  std::size_t size = target.range.size();
  return size < longest_jump + endbr64_length({target.range.begin, {begin, size}});
}

/// The bytes behind a short function that belong to no other function, up to the next multiple of 16.
CodeRange bytes_behind(const PatchTarget& target, const std::vector<Mapping>& mappings,
                       std::optional<Program>& program) {
  CodeRange behind{target.range.end, CodeAddress{(value(target.range.end) + 15) / 16 * 16}};
  if (!needs_padding(target) || behind.size() == 0) return {behind.begin, behind.begin};
  if (find_mapping(mappings, value(behind.end) - 1) == nullptr) return {behind.begin, behind.begin};
  if (!program) program.emplace(Program::of_this_process());
  for (CodeAddress at = behind.begin; at < behind.end; at = at + 1)
    if (program->at(at)) return {behind.begin, at};
  return behind;
}

std::vector<CodeCopy> copy_code(std::span<const PatchTarget> targets, const std::vector<Mapping>& mappings) {
  std::optional<Program> program;
  std::vector<CodeRange> behind;
  for (const PatchTarget& target : targets) behind.push_back(bytes_behind(target, mappings, program));
  // No stop is granted under the lock, so no other change is committed between two bytes.
  return registry().with([&](const PatchTable& known) {
    std::vector<CodeCopy> copies;
    for (std::size_t i = 0; i < targets.size(); ++i) {
      CodeCopy copy{&targets[i], known.original_bytes(targets[i].range), known.original_bytes(behind[i]), {}};
      for (CodeRange fragment : targets[i].fragments) copy.fragments.push_back(known.original_bytes(fragment));
      copies.push_back(std::move(copy));
    }
    return copies;
  });
}

/// Reads constants of the function's module.
ReadMemory reader_beside(CodeAddress function, const std::vector<Mapping>& mappings) {
  const Mapping* home = find_mapping(mappings, value(function));
  return [home, &mappings](std::uintptr_t address, std::span<std::uint8_t> to) {
    const Mapping* mapping = find_mapping(mappings, address);
    if (mapping == nullptr || mapping->end - address < to.size()) return false;
    if (!allows(mapping->protection, Protection::read) || mapping->path != home->path) return false;
    std::memcpy(to.data(), reinterpret_cast<const void*>(address), to.size());
    return true;
  };
}

EntryPlan plan_copy(const CodeCopy& copy, const std::vector<Mapping>& mappings) {
  const PatchTarget& target = *copy.target;
  FunctionCode function{.name = target.name,
                        .body = {target.range.begin, copy.body},
                        .after = copy.after,
                        .fragments = {},
                        .read = reader_beside(target.range.begin, mappings)};
  for (std::size_t i = 0; i < copy.fragments.size(); ++i)
    function.fragments.push_back({target.fragments[i].begin, copy.fragments[i]});
  return plan_entry(function, shortest_jump);
}

/// The compiled bytes from `place` on, with the padding behind the function.
std::vector<std::uint8_t> bytes_from(CodeAddress place, const CodeCopy& copy) {
  std::vector<std::uint8_t> bytes = copy.body;
  bytes.insert(bytes.end(), copy.after.begin(), copy.after.end());
  bytes.erase(bytes.begin(),
              bytes.begin() + static_cast<std::ptrdiff_t>(value(place) - value(copy.target->range.begin)));
  return bytes;
}

/// The bytes that the jump may overwrite.
std::vector<std::uint8_t> bytes_at(const EntryPlan& plan, const CodeCopy& copy) {
  std::vector<std::uint8_t> bytes = bytes_from(plan.place, copy);
  bytes.resize(std::min(bytes.size(), plan.room));
  return bytes;
}

}  // namespace

class Patch::Impl final {
 public:
  explicit Impl(PatchOptions options)
      : modules_(std::move(options.modules)), update_(options.update), kind_(options.kind) {}
  ~Impl();
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void add_jumps(const std::vector<CodeCopy>& copies, const std::vector<EntryPlan>& plans);
  /// Does nothing if they are open.
  void open_pages();
  void close_pages() noexcept;

  std::span<const CodeRange> keep_out() const noexcept { return keep_out_; }
  void require_untouched() const;
  void commit() noexcept;
  void revert() noexcept;
  void bypass(bool is_bypassed) noexcept;
  void supersede(std::size_t target, std::uint64_t by) noexcept;

 private:
  void keep_out_of(const PatchTarget& target, const EntryPlan& plan, const Redirection& redirection);
  void lead_calls() const noexcept;

  enum class State { prepared, committed, reverted };

  State state_ = State::prepared;
  ModuleHold modules_;
  std::uint64_t update_;
  PatchKind kind_;
  std::vector<Redirection*> redirections_;
  std::vector<CodeRange> overwritten_;
  std::vector<CodeRange> keep_out_;
  std::vector<std::uintptr_t> open_pages_;
};

Patch::Impl::~Impl() {
  close_pages();
  if (state_ == State::committed) return;
  registry().with([this](PatchTable& known) {
    for (Redirection* redirection : redirections_) known.remove(*redirection);
  });
}

void Patch::Impl::add_jumps(const std::vector<CodeCopy>& copies, const std::vector<EntryPlan>& plans) {
  redirections_.reserve(copies.size());
  registry().with([&](PatchTable& known) {
    for (std::size_t i = 0; i < copies.size(); ++i) {
      const PatchTarget& target = *copies[i].target;
      known.refuse_superseded(target.name, target.range.begin, update_);
      std::vector<std::uint8_t> original = bytes_at(plans[i], copies[i]);
      Redirection& redirection = known.add(target.name, target.range.begin, plans[i], original, target.replacement);
      redirections_.push_back(&redirection);
      redirection.update = update_;
      redirection.line = target.line;
      redirection.is_gate = kind_ == PatchKind::gate;
      redirection.module = module_with(reinterpret_cast<const void*>(value(target.replacement)));
      overwritten_.push_back(redirection.entry->overwritten());
      keep_out_of(target, plans[i], redirection);
    }
    require_untouched();
    known.slots().seal();
  });
  std::sort(keep_out_.begin(), keep_out_.end(),
            [](const CodeRange& a, const CodeRange& b) { return a.begin < b.begin; });
}

/// If the old function jumps back to its entry, a call in progress would continue in the new one. So there must be
/// none.
void Patch::Impl::keep_out_of(const PatchTarget& target, const EntryPlan& plan, const Redirection& redirection) {
  if (!plan.is_loop_head) return keep_out_.push_back(redirection.overwritten());
  keep_out_.push_back({target.range.begin, std::max(target.range.end, redirection.overwritten().end)});
  // Keeping out of a range still allows its first byte, which is harmless only at an entry.
  for (CodeRange fragment : target.fragments)
    keep_out_.push_back({CodeAddress{value(fragment.begin) - 1}, fragment.end});
}

void Patch::Impl::open_pages() {
  if (!open_pages_.empty()) return;
  MOULT_FAULT("code.prepare.open_pages");
  open_pages_ = registry().with([this](PatchTable& known) { return known.pages().open(overwritten_); });
  for (CodeRange place : overwritten_) {
    std::uintptr_t page = page_size();
    make_present(value(place.begin) / page * page, value(place.end));
  }
}

void Patch::Impl::close_pages() noexcept {
  if (open_pages_.empty()) return;
  registry().with([this](PatchTable& known) { known.pages().close(open_pages_); });
  open_pages_.clear();
}

void Patch::Impl::require_untouched() const {
  for (const Redirection* redirection : redirections_)
    if (!is_as_written(*redirection->entry))
      throw Error(ErrorCode::unsupported_code,
                  redirection->entry->name +
                      ": something else has written to its first bytes (a debugger's breakpoint, " +
                      "another tool that hooks functions); take that back and try again");
}

void Patch::Impl::commit() noexcept {
  MOULT_CHECK(state_ == State::prepared, "a patch is committed once");
  state_ = State::committed;
  modules_.keep();
  for (Redirection* redirection : redirections_) apply_redirection(*redirection);
  lead_calls();
  sync_cores();
}

void Patch::Impl::revert() noexcept {
  MOULT_CHECK(state_ == State::committed, "only a committed patch can be reverted");
  state_ = State::reverted;
  open_pages();
  for (Redirection* redirection : redirections_) revert_redirection(*redirection);
  lead_calls();
  sync_cores();
}

void Patch::Impl::lead_calls() const noexcept {
  if (!has_own_calls()) return;
  for (const Redirection* redirection : redirections_)
    lead_own_calls(redirection->entry->function, redirection->entry->newest != nullptr);
}

void Patch::Impl::bypass(bool is_bypassed) noexcept {
  MOULT_CHECK(state_ == State::committed && !open_pages_.empty(), "a patch is bypassed whose pages are closed");
  for (Redirection* redirection : redirections_) internal::bypass(*redirection, is_bypassed);
  sync_cores();
}

void Patch::Impl::supersede(std::size_t target, std::uint64_t by) noexcept {
  MOULT_CHECK(state_ == State::committed && !open_pages_.empty(), "a patch is superseded whose pages are closed");
  internal::supersede(*redirections_[target], by);
  sync_cores();
}

Patch Patch::prepare(std::span<const PatchTarget> targets, PatchOptions options) {
  const std::vector<Mapping> mappings = address_space().mappings();
  check_targets(targets, mappings);
  MOULT_FAULT("code.prepare.copy");
  std::vector<CodeCopy> copies = copy_code(targets, mappings);
  std::vector<EntryPlan> plans;
  plans.reserve(copies.size());
  for (const CodeCopy& copy : copies) plans.push_back(plan_copy(copy, mappings));
  MOULT_FAULT("code.prepare.planned");
  std::unique_ptr<Impl> impl = std::make_unique<Impl>(std::move(options));
  impl->add_jumps(copies, plans);
  impl->open_pages();
  register_core_sync();
  MOULT_FAULT("code.prepare.end");
  return Patch(std::move(impl));
}

std::vector<EntryCode> entry_code_of(std::span<const PatchTarget> targets) {
  constexpr std::size_t longest_instruction = 15;
  const std::vector<Mapping> mappings = address_space().mappings();
  for (const PatchTarget& target : targets) check_code(target, mappings);
  std::vector<EntryCode> entries;
  for (const CodeCopy& copy : copy_code(targets, mappings)) {
    const EntryPlan plan = plan_copy(copy, mappings);
    const CodeAddress function = copy.target->range.begin;
    std::vector<std::uint8_t> bytes = bytes_from(plan.place, copy);
    const std::size_t overwritten = std::min(plan.room, longest_jump);
    bytes.resize(std::min(bytes.size(), overwritten + longest_instruction));
    entries.push_back({copy.target->name, function, plan.place, overwritten, std::move(bytes), plan.is_loop_head});
    registry().with([&](const PatchTable& known) {
      auto entry = known.all().find(function);
      const Redirection* newest = entry == known.all().end() ? nullptr : active_version(entry->second);
      if (newest != nullptr) entries.back().active = newest->replacement;
    });
  }
  return entries;
}

CodeAddress original_way(CodeAddress function, const void* module, CodeAddress compiled,
                         const std::function<CodeAddress(const OriginalWay& way)>& make_stub) {
  return registry().with([&](PatchTable& known) {
    if (const OriginalWay* const way = known.original_way(function, module, compiled)) return way->stub;
    std::unique_ptr<OriginalWay> way = std::make_unique<OriginalWay>();
    way->module = module;
    way->compiled = compiled;
    way->stub = make_stub(*way);
    return known.add_original_way(function, std::move(way)).stub;
  });
}

std::vector<std::uint8_t> original_code(CodeRange range) {
  return registry().with([range](const PatchTable& known) { return known.original_bytes(range); });
}

std::vector<Version> versions_of(CodeAddress entry) {
  return registry().with([entry](const PatchTable& known) {
    std::vector<Version> versions;
    for (const Redirection* redirection : known.committed_from(entry)) {
      if (redirection->is_gate) continue;
      std::uintptr_t slot = redirection->enters_slot ? reinterpret_cast<std::uintptr_t>(redirection->slot) : 0;
      std::size_t size = slot != 0 ? sizeof(x86_64::JumpSlot) : 0;
      versions.push_back({redirection->replacement, {CodeAddress{slot}, CodeAddress{slot + size}}});
    }
    return versions;
  });
}

bool is_redirected(CodeAddress entry) {
  return registry().with([entry](const PatchTable& known) {
    const auto found = known.all().find(entry);
    return found != known.all().end() && found->second.newest != nullptr;
  });
}

std::vector<AppliedChange> applied_changes() {
  return registry().with([](const PatchTable& known) {
    std::vector<AppliedChange> applied;
    for (const auto& [function, entry] : known.all()) {
      const Redirection* const newest = active_version(entry);
      for (const Redirection* each = entry.newest; each != nullptr; each = each->older) {
        if (each->is_gate) continue;
        applied.push_back({function, each->update, each->line, {}, each->replacement});
        if (each->superseded_by != 0)
          applied.back().shadowed_by = each->superseded_by;
        else if (each != newest)
          applied.back().shadowed_by = newest->update;
      }
    }
    return applied;
  });
}

Patch::Patch(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Patch::Patch(Patch&&) noexcept = default;
Patch& Patch::operator=(Patch&&) noexcept = default;
Patch::~Patch() = default;

std::span<const CodeRange> Patch::keep_out() const noexcept { return impl_->keep_out(); }
void Patch::require_untouched(const StoppedWorld&) const { impl_->require_untouched(); }
void Patch::commit(const StoppedWorld&) noexcept { impl_->commit(); }
void Patch::prepare_revert() { impl_->open_pages(); }
void Patch::revert(const StoppedWorld&) noexcept { impl_->revert(); }
void Patch::bypass(const StoppedWorld&, bool is_bypassed) noexcept { impl_->bypass(is_bypassed); }
void Patch::supersede(const StoppedWorld&, std::size_t target, std::uint64_t by) noexcept {
  impl_->supersede(target, by);
}
void Patch::finish() noexcept { impl_->close_pages(); }

}  // namespace moult::internal

// Who passes: a thread that is inside a function of the set, as its own stack shows; the update's own thread, which
// would wait for itself; a thread that others may wait for in a stop (threads/service_threads.hpp); and all of a child
// process, where nobody would open the gate. In doubt, as on a stack that is not walked precisely, a call passes: then
// the update waits longer, where otherwise a thread might wait for ever.
//
// What is in force below the gate is either a version that the function was redefined as, or the function itself. Its
// first instructions are overwritten: they are executed as a copy (relocation.hpp).
//
// While a thread looks at its stack it counts as busy inside moult, so that no stop meets it there, and what it looks
// at can be exchanged in a stop. One that waits holds nothing. Both allocate nothing and take no lock: a call may come
// from anywhere, a signal handler too.
//
// Limit: a thread that waits may hold locks of the program's own, which a thread inside needs in order to come out.
// Then nobody comes out, and the update opens the gate when its patience has run out.
#include "code/gate.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/check.hpp"
#include "base/fault.hpp"
#include "base/guarded.hpp"
#include "base/transaction.hpp"
#include "code/gate_code.hpp"
#include "moult/error.hpp"
#include "platform/futex.hpp"
#include "platform/tasks.hpp"
#include "threads/service_threads.hpp"
#include "unwind/unwinder.hpp"

namespace moult::internal {
namespace {

/// The process that closed gates last.
std::atomic<pid_t> closer{0};

bool is_closed(std::uint32_t word) noexcept { return word % 2 != 0; }

bool is_exempt() noexcept {
  return Transaction::current() != nullptr || closer.load(std::memory_order_relaxed) != own_process() ||
         is_service_thread();
}

bool is_own_stack_inside(const Gate& gate) noexcept {
  const NoStop here;
  bool is_inside = false;
  RowCache rows;
  walk_stack(rows, current_registers(), [&](const Frame& frame) {
    is_inside = is_from_inside(gate.inside, frame.lookup_address());
    return !is_inside;
  });
  return is_inside;
}

/// A function of its own, with nothing to tidy up and nothing that may not be thrown through: a thread may be cancelled
/// in the system call, at an instruction that is no call.
[[gnu::noinline]] void wait_at(const Gate& gate, std::uint32_t seen) {
  while (gate.word.load() == seen) futex_wait(gate.word, seen);
}
/// Known to nobody when it is called: of a function that is seen to throw nothing a compiler may tell in the caller's
/// tables that nothing passes there.
void (*volatile const opaque_wait_at)(const Gate&, std::uint32_t) = wait_at;

CodeAddress decide(GateEntry& entry) {
  Gate& gate = static_cast<Gate&>(entry);
  const std::uint32_t seen = gate.word.load();
  if (!is_closed(seen) || is_exempt() || is_own_stack_inside(gate)) return gate.way.load();
  opaque_wait_at(gate, seen);
  return gate.function;
}

/// Every gate that was ever made, by function.
Guarded<std::vector<std::unique_ptr<GatedFunction>>>& gated() {
  static Guarded<std::vector<std::unique_ptr<GatedFunction>>>& only =
      *new Guarded<std::vector<std::unique_ptr<GatedFunction>>>();
  return only;
}

void require_usable(const EntryCode& entry) {
  if (!can_keep_arguments())
    throw Error(ErrorCode::unsupported, entry.name + ": this processor's vector registers cannot be kept at a gate");
  if (entry.is_loop_head)
    throw Error(ErrorCode::unsupported_code,
                entry.name +
                    ": jumps back to its own entry, where a call in progress cannot be told from a new one; wait for "
                    "its quiescence, or for its return, without a gate");
}

/// The function's gate; made at the first time, or anew where another library lies there now.
GatedFunction& gate_of(const EntryCode& entry) {
  require_usable(entry);
  return gated().with([&](std::vector<std::unique_ptr<GatedFunction>>& all) -> GatedFunction& {
    for (const std::unique_ptr<GatedFunction>& known : all) {
      if (known->gate.function != entry.function || known->original != entry.bytes) continue;
      if (is_closed(known->gate.word.load()))
        throw Error(ErrorCode::still_active,
                    entry.name + ": another update keeps its calls waiting; try again when that has ended");
      return *known;
    }
    std::unique_ptr<GatedFunction> made = make_gated_function(entry, decide);
    all.push_back(std::move(made));
    return *all.back();
  });
}

}  // namespace

bool is_from_inside(std::span<const CodeRange> inside, CodeAddress frame) noexcept {
  auto after = std::upper_bound(inside.begin(), inside.end(), frame,
                                [](CodeAddress wanted, const CodeRange& range) { return wanted < range.begin; });
  return after != inside.begin() && std::prev(after)->contains(frame);
}

CodeAddress permanent_entry(const EntryCode& entry) {
  return entry.active ? *entry.active : copy_of(gate_of(entry), entry);
}

class Gates::Impl final {
 public:
  Impl(std::vector<PatchTarget> targets, std::vector<CodeRange> inside, PatchOptions options);

  std::span<const CodeRange> keep_out() const noexcept { return patch_->keep_out(); }
  void require_untouched(const StoppedWorld& stopped) const { patch_->require_untouched(stopped); }

  void close(const StoppedWorld& stopped) noexcept {
    closer.store(own_process());
    for (std::size_t i = 0; i < gates_.size(); ++i) {
      Gate& gate = *gates_[i];
      MOULT_CHECK(!is_closed(gate.word.load()), "a gate is closed twice");
      gate.inside = inside_;
      gate.way.store(ways_[i]);
      gate.word.fetch_add(1);
    }
    is_closed_ = true;
    patch_->commit(stopped);
  }

  void open() noexcept {
    if (!std::exchange(is_closed_, false)) return;
    for (Gate* gate : gates_) {
      gate->word.fetch_add(1);
      futex_wake_all(gate->word);
    }
  }

  void take_away(const StoppedWorld& stopped) noexcept {
    open();
    patch_->revert(stopped);
    for (Gate* gate : gates_) gate->inside = {};
  }

  void finish() noexcept { patch_->finish(); }

 private:
  std::vector<CodeRange> inside_;
  std::vector<Gate*> gates_;
  std::vector<CodeAddress> ways_;
  std::optional<Patch> patch_;
  bool is_closed_ = false;
};

Gates::Impl::Impl(std::vector<PatchTarget> targets, std::vector<CodeRange> inside, PatchOptions options)
    : inside_(std::move(inside)) {
  MOULT_FAULT("code.gate.entries");
  const std::vector<EntryCode> entries = entry_code_of(targets);
  for (std::size_t i = 0; i < targets.size(); ++i) {
    GatedFunction& gated = gate_of(entries[i]);
    ways_.push_back(entries[i].active ? *entries[i].active : copy_of(gated, entries[i]));
    gates_.push_back(&gated.gate);
    targets[i].replacement = gated.stub;
  }
  MOULT_FAULT("code.gate.made");
  options.kind = PatchKind::gate;
  patch_.emplace(Patch::prepare(targets, std::move(options)));
}

Gates::Gates(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Gates::Gates(Gates&&) noexcept = default;
Gates& Gates::operator=(Gates&&) noexcept = default;
Gates::~Gates() = default;

Gates Gates::prepare(std::vector<PatchTarget> targets, std::vector<CodeRange> inside, PatchOptions options) {
  return Gates(std::make_unique<Impl>(std::move(targets), std::move(inside), std::move(options)));
}

std::span<const CodeRange> Gates::keep_out() const noexcept { return impl_->keep_out(); }
void Gates::require_untouched(const StoppedWorld& stopped) const { impl_->require_untouched(stopped); }
void Gates::close(const StoppedWorld& stopped) noexcept { impl_->close(stopped); }
void Gates::open() noexcept { impl_->open(); }
void Gates::take_away(const StoppedWorld& stopped) noexcept { impl_->take_away(stopped); }
void Gates::finish() noexcept { impl_->finish(); }

}  // namespace moult::internal

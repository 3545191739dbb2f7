// The inline manager: the program lends it a thread for the length of each call.
#include "moult/manager.hpp"

#include <list>

#include "base/guarded.hpp"
#include "lifecycle/update_registry.hpp"

namespace moult {

using internal::ChangeToken;
using internal::UpdateRun;

class Manager::Impl final {
 public:
  Impl(std::string name, std::vector<ThreadId> threads)
      : registration_(internal::update_registry(), std::move(name)),
        threads_(std::move(threads)),
        destroyed_("its manager " + registration_.name() + " was destroyed") {}

  const std::string& name() const noexcept { return registration_.name(); }
  void open(Manager& manager) { registration_.publish(manager); }
  void close();
  UpdateHandle add(std::unique_ptr<Update> update);
  void advance();

 private:
  /// An update's place is made when it is added, and then moves from list to list.
  struct Line {
    std::list<std::shared_ptr<UpdateRun>> queue;
    std::list<std::shared_ptr<UpdateRun>> current;  ///< one or none
    bool advancing = false;                         ///< a thread is in apply_next_update
  };
  std::shared_ptr<UpdateRun> begin_advance();
  internal::RunStatus advance(UpdateRun& run);
  void end_advance(internal::RunStatus progress) noexcept;

  internal::UpdateRegistry::Registration registration_;
  std::vector<ThreadId> threads_;
  const std::string destroyed_;  ///< why updates are turned away at the end
  internal::Guarded<Line> line_;
};

UpdateHandle Manager::Impl::add(std::unique_ptr<Update> update) {
  const auto enqueue = [this](const std::shared_ptr<UpdateRun>& run) {
    line_.with([&](Line& line) { line.queue.push_back(run); });
  };
  return UpdateHandle(internal::admit(name(), std::move(update), threads_, enqueue));
}

/// The update to advance. Null if there is none, or if another call, perhaps from an update's own step, is advancing
/// it.
std::shared_ptr<UpdateRun> Manager::Impl::begin_advance() {
  return line_.with([](Line& line) -> std::shared_ptr<UpdateRun> {
    if (line.advancing) return nullptr;
    if (line.current.empty() && !line.queue.empty() && line.queue.front()->is_announced())
      line.current.splice(line.current.end(), line.queue, line.queue.begin());
    line.advancing = !line.current.empty();
    return line.advancing ? line.current.front() : nullptr;
  });
}

void Manager::Impl::advance() {
  std::shared_ptr<UpdateRun> run = begin_advance();
  if (run == nullptr) return;
  internal::RunStatus progress = advance(*run);
  if (progress == internal::RunStatus::ended) internal::update_registry().update_ended(run);
  end_advance(progress);
}

/// While another manager changes the program, the update waits for a later call and no probe is counted. The thread is
/// the program's, so it must not wait here.
internal::RunStatus Manager::Impl::advance(UpdateRun& run) {
  internal::ChangeArbiter& arbiter = internal::update_registry().arbiter();
  ChangeToken token;
  if (run.needs_token() && !(token = arbiter.try_take())) return internal::RunStatus::pending;
  return run.probe(arbiter, std::move(token));
}

void Manager::Impl::end_advance(internal::RunStatus progress) noexcept {
  line_.with([&](Line& line) {
    line.advancing = false;
    if (progress == internal::RunStatus::pending) return;
    if (progress == internal::RunStatus::postponed) line.queue.splice(line.queue.end(), line.current);
    line.current.clear();
  });
}

void Manager::Impl::close() {
  registration_.hide();
  Line left;
  line_.with([&](Line& line) { std::swap(left, line); });
  left.queue.splice(left.queue.begin(), left.current);
  for (const std::shared_ptr<UpdateRun>& run : left.queue) internal::turn_away(run, destroyed_);
}

Manager::Manager(std::string name, std::vector<ThreadId> threads)
    : impl_(std::make_unique<Impl>(std::move(name), std::move(threads))) {
  impl_->open(*this);
}

Manager::~Manager() { impl_->close(); }

const std::string& Manager::name() const noexcept { return impl_->name(); }

UpdateHandle Manager::add_update(std::unique_ptr<Update> update) { return impl_->add(std::move(update)); }

void Manager::apply_next_update() { impl_->advance(); }

}  // namespace moult

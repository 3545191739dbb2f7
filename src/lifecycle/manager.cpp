// The inline manager: the program lends it a thread for the length of each call.
#include "moult/manager.hpp"

#include <deque>

#include "base/guarded.hpp"
#include "lifecycle/update_registry.hpp"

namespace moult {

using internal::ChangeToken;
using internal::RunStatus;
using internal::UpdateRun;

class Manager::Impl final {
 public:
  Impl(std::string name, std::vector<ThreadId> threads)
      : registration_(internal::update_registry(), std::move(name)), threads_(std::move(threads)) {}

  const std::string& name() const noexcept { return registration_.name(); }
  void open(Manager& manager) { registration_.publish(manager); }
  void close();
  UpdateHandle add(std::unique_ptr<Update> update);
  void advance();

 private:
  struct Line {
    std::deque<std::shared_ptr<UpdateRun>> queue;
    std::shared_ptr<UpdateRun> current;
    bool advancing = false;  ///< a thread is in apply_next_update
  };
  std::shared_ptr<UpdateRun> begin_advance();
  internal::RunStatus advance(UpdateRun& run);
  void end_advance(const std::shared_ptr<UpdateRun>& run, internal::RunStatus progress);

  internal::UpdateRegistry::Registration registration_;
  std::vector<ThreadId> threads_;
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
    if (line.current == nullptr && !line.queue.empty() && line.queue.front()->is_announced()) {
      line.current = std::move(line.queue.front());
      line.queue.pop_front();
    }
    line.advancing = line.current != nullptr;
    return line.current;
  });
}

void Manager::Impl::advance() {
  std::shared_ptr<UpdateRun> run = begin_advance();
  if (run == nullptr) return;
  internal::RunStatus progress = advance(*run);
  if (progress == internal::RunStatus::ended) internal::update_registry().update_ended(run);
  end_advance(run, progress);
}

/// While another manager changes the program, the update waits for a later call and no probe is counted. The thread is
/// the program's, so it must not wait here.
internal::RunStatus Manager::Impl::advance(UpdateRun& run) {
  internal::ChangeArbiter& arbiter = internal::update_registry().arbiter();
  ChangeToken token;
  if (run.needs_token() && !(token = arbiter.try_take())) return internal::RunStatus::pending;
  return run.probe(arbiter, std::move(token));
}

void Manager::Impl::end_advance(const std::shared_ptr<UpdateRun>& run, internal::RunStatus progress) {
  line_.with([&](Line& line) {
    line.advancing = false;
    if (progress == internal::RunStatus::pending) return;
    if (progress == internal::RunStatus::postponed) line.queue.push_back(run);
    line.current.reset();
  });
}

void Manager::Impl::close() {
  registration_.hide();
  Line left;
  line_.with([&](Line& line) { std::swap(left, line); });
  std::string reason = "its manager " + name() + " was destroyed";
  if (left.current != nullptr) internal::turn_away(left.current, reason);
  for (const std::shared_ptr<UpdateRun>& run : left.queue) internal::turn_away(run, reason);
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

#include "moult/thread.hpp"

#include <utility>
#include <vector>

#include "alterability/thread_body.hpp"
#include "moult/error.hpp"

namespace moult {
namespace {

std::string quoted(std::string_view name) { return '"' + std::string(name) + '"'; }

std::string listed(const std::vector<std::shared_ptr<alterability::ThreadBody>>& bodies) {
  std::string text;
  for (const std::shared_ptr<alterability::ThreadBody>& body : bodies)
    text +=
        (text.empty() ? "" : ", ") + quoted(body->name()) + " (" + std::to_string(static_cast<int>(body->id())) + ")";
  return text;
}

}  // namespace

// By value, lest the template match better.
// NOLINTNEXTLINE(performance-unnecessary-value-param)
Thread::Thread(ThreadOptions options, std::function<void()> main)
    : body_(std::make_shared<alterability::ThreadBody>(options, std::move(main))) {
  body_->start();
}

Thread::~Thread() {
  if (joinable()) join();
}

Thread::Thread(Thread&& other) noexcept = default;

Thread& Thread::operator=(Thread&& other) noexcept {
  const Thread former(std::move(*this));
  body_ = std::move(other.body_);
  return *this;
}

ThreadId Thread::id() const noexcept { return body_->id(); }
std::string Thread::name() const { return body_->name(); }
ThreadRole Thread::role() const noexcept { return body_->role(); }
void Thread::rename(const std::string& name) { body_->rename(name); }
bool Thread::joinable() const noexcept { return body_ != nullptr && body_->joinable(); }
void Thread::join() { body_->join(); }
void Thread::detach() { body_->detach(); }

ThreadId get_thread_by_name(std::string_view name) {
  const std::vector<std::shared_ptr<alterability::ThreadBody>> running = alterability::running_threads();
  std::vector<std::shared_ptr<alterability::ThreadBody>> found;
  for (const std::shared_ptr<alterability::ThreadBody>& body : running)
    if (body->name() == name) found.push_back(body);
  if (found.size() == 1) return found.front()->id();
  if (found.empty())
    throw Error(ErrorCode::not_found, "no moult::Thread named " + quoted(name) + " runs; there are " +
                                          (running.empty() ? "none" : listed(running)));
  throw Error(ErrorCode::ambiguous,
              "several threads are named " + quoted(name) + ": " + listed(found) + "; give the id of one");
}

}  // namespace moult

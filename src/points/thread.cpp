#include "moult/thread.hpp"

#include <utility>
#include <vector>

#include "base/opaque.hpp"
#include "moult/error.hpp"
#include "points/thread_body.hpp"

namespace moult {
namespace {

std::string quoted(std::string_view name) { return '"' + std::string(name) + '"'; }

std::string listed(const std::vector<std::shared_ptr<internal::ThreadBody>>& bodies) {
  std::string text;
  for (const std::shared_ptr<internal::ThreadBody>& body : bodies)
    text +=
        (text.empty() ? "" : ", ") + quoted(body->name()) + " (" + std::to_string(static_cast<int>(body->id())) + ")";
  return text;
}

internal::ThreadBody& known(detail::OpaqueThread& body) noexcept {
  return internal::behind<internal::ThreadBody>(body);
}

}  // namespace

// By value: a reference would match worse than the template.
// NOLINTNEXTLINE(performance-unnecessary-value-param)
Thread::Thread(ThreadOptions options, std::function<void()> main)
    : body_(std::make_shared<internal::ThreadBody>(options, std::move(main))) {
  known(*body_).start();
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

ThreadId Thread::id() const noexcept { return known(*body_).id(); }
std::string Thread::name() const { return known(*body_).name(); }
ThreadRole Thread::role() const noexcept { return known(*body_).role(); }
void Thread::rename(const std::string& name) { known(*body_).rename(name); }
bool Thread::joinable() const noexcept { return body_ != nullptr && known(*body_).joinable(); }
void Thread::join() { known(*body_).join(); }
void Thread::detach() { known(*body_).detach(); }

ThreadId get_thread_by_name(std::string_view name) {
  const std::vector<std::shared_ptr<internal::ThreadBody>> running = internal::running_threads();
  std::vector<std::shared_ptr<internal::ThreadBody>> found;
  for (const std::shared_ptr<internal::ThreadBody>& body : running)
    if (body->name() == name) found.push_back(body);
  if (found.size() == 1) return found.front()->id();
  if (found.empty())
    throw Error(ErrorCode::not_found, "no moult::Thread named " + quoted(name) + " runs; there are " +
                                          (running.empty() ? "none" : listed(running)));
  throw Error(ErrorCode::ambiguous,
              "several threads are named " + quoted(name) + ": " + listed(found) + "; give the id of one");
}

}  // namespace moult

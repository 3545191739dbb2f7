// The loop of a moult::Thread, and the list of running ones.
//
// Each round of the loop calls the present main function, which an update may replace. The thread enters the list and
// the registry of static update points (point_registry.hpp) when it begins. It leaves both however it ends,
// pthread_exit and cancellation included.
//
// A child of fork has only the thread that forked. A body remembers the number of forks before its thread was started.
#include "points/thread.hpp"

#include <algorithm>
#include <new>
#include <utility>
#include <vector>

#include "base/names.hpp"
#include "base/opaque.hpp"
#include "moult/error.hpp"
#include "moult/thread.hpp"
#include "platform/fork_handlers.hpp"
#include "platform/futex.hpp"
#include "platform/tasks.hpp"
#include "points/static_points.hpp"

namespace moult::internal {
namespace {

using Bodies = std::vector<std::shared_ptr<ThreadBody>>;

/// Never destroyed: threads may end while the program ends.
Guarded<Bodies>& bodies() {
  static auto* const made = new Guarded<Bodies>;
  return *made;
}

std::atomic<std::uint32_t> forks{0};
thread_local ThreadBody* body_of_this_thread = nullptr;

/// The lock's holder may be missing in the child.
void go_on_in_child_of_fork() {
  ++forks;
  new (&bodies()) Guarded<Bodies>;
  if (body_of_this_thread != nullptr) body_of_this_thread->go_on_in_child();
}

void be_ready() {
  be_ready_for_fork();
  register_fork_handlers(ForkPlace::threads, {.in_child = go_on_in_child_of_fork});
}

template <class Act>
class AtEnd final {
 public:
  explicit AtEnd(Act act) : act_(std::move(act)) {}
  ~AtEnd() { act_(); }
  AtEnd(const AtEnd&) = delete;
  AtEnd& operator=(const AtEnd&) = delete;

 private:
  Act act_;
};

}  // namespace

MainFunction main_function(std::function<void()> main, detail::Caller caller) {
  void (*const* const function)() = main.target<void (*)()>();
  if (function != nullptr && caller.function == nullptr) caller.function = reinterpret_cast<const void*>(*function);
  return {CodeRecord(CodeUse::called_later, {caller.module, caller.function}), std::move(main)};
}

ThreadBody::ThreadBody(const ThreadOptions& options, MainFunction main)
    : role_(options.role), name_(options.name), main_(std::move(main)), forks_(forks) {
  check_name("a thread", options.name);
}

ThreadBody::~ThreadBody() = default;

void ThreadBody::start() {
  be_ready();
  handle_ = std::thread([body = shared_from_this()] { body->begin(); });
  while (has_begun_ == 0) futex_wait(has_begun_, 0);
  if (failure_ == nullptr) return;
  handle_.join();
  std::rethrow_exception(failure_);
}

void ThreadBody::publish() noexcept {
  has_begun_ = 1;
  futex_wake_all(has_begun_);
}

void ThreadBody::begin() {
  task_ = static_cast<std::uint32_t>(own_task());
  name_task(own_task(), name());
  const AtEnd at_end([this] { end(); });
  body_of_this_thread = this;
  try {
    bodies().with([this](Bodies& all) { all.push_back(shared_from_this()); });
    begin_thread(role_, [this] { publish(); });
  } catch (const std::bad_alloc&) {
    failure_ = std::current_exception();
    return publish();
  }
  run();
}

void ThreadBody::run() {
  run_frame_ = reinterpret_cast<std::uintptr_t>(__builtin_dwarf_cfa());
  for (;;) {
    const MainFunction current = main();
    current.call();
    if (!take_back_request()) return;
  }
}

void ThreadBody::end() noexcept {
  body_of_this_thread = nullptr;
  set_main({});
  end_thread();
  bodies().with([this](Bodies& all) { std::erase(all, shared_from_this()); });
}

std::string ThreadBody::name() const {
  return name_.with([](const std::string& name) { return name; });
}

void ThreadBody::rename(const std::string& name) {
  check_name("a thread", name);
  name_.with([&name](std::string& known) { known = name; });
  name_task(static_cast<pid_t>(id()), name);
}

MainFunction ThreadBody::main() const {
  return main_.with([](const MainFunction& main) { return main; });
}

/// The former main function is destroyed outside of the lock.
void ThreadBody::set_main(MainFunction main) noexcept {
  main_.with([&main](MainFunction& known) { std::swap(known, main); });
}

bool ThreadBody::is_in_this_process() const noexcept { return forks_ == forks; }

void ThreadBody::join() {
  if (is_in_this_process()) return handle_.join();
  detach();
}

void ThreadBody::detach() {
  if (is_in_this_process()) return handle_.detach();
  // The C library does not know the thread any more. The only way to give up the handle is to keep it for ever.
  static_cast<void>(new std::thread(std::move(handle_)));
}

void ThreadBody::go_on_in_child() {
  forks_ = forks;
  task_ = static_cast<std::uint32_t>(own_task());
  bodies().with([this](Bodies& all) { all.push_back(shared_from_this()); });
  point_registry().with([this](PointRegistry& points) { points.add_thread(id()); });
}

std::vector<std::shared_ptr<ThreadBody>> running_threads() {
  return bodies().with([](const Bodies& all) { return all; });
}

std::shared_ptr<ThreadBody> find_thread(ThreadId thread) {
  for (std::shared_ptr<ThreadBody>& body : running_threads())
    if (body->id() == thread) return std::move(body);
  return nullptr;
}

}  // namespace moult::internal

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
Thread::Thread(ThreadOptions options, std::function<void()> main, detail::Caller caller)
    : body_(std::make_shared<internal::ThreadBody>(options, internal::main_function(std::move(main), caller))) {
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

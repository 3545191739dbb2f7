// Page faults in watched memory, which this process resolves itself.
//
// A FaultHandler watches memory for its FaultSinks: conversions at first use have one handler, progressive accesses
// another. Memory belongs to one sink at most.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "base/guarded.hpp"
#include "platform/fork_handlers.hpp"
#include "platform/userfaultfd.hpp"

namespace moult::internal {

/// After a failed allocation a thread that must go on pauses this long before it tries again.
inline constexpr std::chrono::milliseconds out_of_memory_pause{1};

class FaultSink;

/// A thread accessed a missing page and waits in the kernel.
struct Fault {
  enum class May {
    run_program_code,  ///< and wait for other threads
    copy_pages,        ///< only: the calling thread is the last that reads faults
  };

  MissingPage missing{};
  May may = May::copy_pages;
  /// The handler's own reference to the sink. Where the sink's destructor runs code of the program, that code may
  /// access watched memory: the sink moves this reference to a thread that does not read faults.
  std::shared_ptr<FaultSink> sink{};
};

/// An owner of watched memory.
class FaultSink {
 public:
  FaultSink() = default;
  virtual ~FaultSink() = default;
  FaultSink(const FaultSink&) = delete;
  FaultSink& operator=(const FaultSink&) = delete;

  /// Whether the page is the sink's. Called under the handler's lock; takes no other lock.
  virtual bool contains(const std::byte* page) const noexcept = 0;
  /// Lets the waiting thread go on, now or later. Throws std::bad_alloc; the thread then accesses the page again, and
  /// the sink is called again.
  virtual void resolve(Fault fault) = 0;
};

/// Reads and resolves faults in threads of its own, which sleep while there are none. Safe in any thread.
class FaultHandler final {
 public:
  struct Options {
    const char* thread_name = "";  ///< at most 15 characters
    /// May::copy_pages: no sink ever waits, so one thread resolves each fault as it reads it, in a stopped program too.
    /// May::run_program_code: resolving is service work (threads/service_threads.hpp), and other threads read on.
    Fault::May sinks = Fault::May::copy_pages;
    /// Called for every fault first, in a reading thread. True when the fault cannot wait until a busy thread is free.
    std::function<bool(const MissingPage&)> is_urgent{};
    /// Called for each sink by a thread that is about to fork: resolves all of the sink's pages, which its child must
    /// find in their places.
    void (*resolve_all)(FaultSink&) noexcept = nullptr;
  };

  /// Throws Error (unsupported) where there is no userfaultfd.
  explicit FaultHandler(Options options) : options_(std::move(options)) {}
  FaultHandler(const FaultHandler&) = delete;
  FaultHandler& operator=(const FaultHandler&) = delete;

  /// Starts the threads, unless they run. Throws std::bad_alloc, std::system_error; may be called again then.
  void start();
  Userfaultfd& pages() noexcept { return pages_; }
  /// True when the program has closed the descriptor and no sink needs it: another handler can take this one's place.
  bool is_spent() const noexcept {
    return pages_.is_lost() && sinks_.with([](const auto& sinks) { return sinks.empty(); });
  }

  /// From add to remove the sink is called for every fault in its memory. Throws std::bad_alloc.
  void add(std::shared_ptr<FaultSink> sink);
  /// False when the sink is not there.
  bool remove(const FaultSink& sink) noexcept;
  /// The sinks, each of which is a `Kind`.
  template <class Kind>
  std::vector<std::shared_ptr<Kind>> sinks() const {
    std::vector<std::shared_ptr<Kind>> all;
    sinks_.with([&](const auto& sinks) {
      for (const std::shared_ptr<FaultSink>& each : sinks) all.push_back(std::static_pointer_cast<Kind>(each));
    });
    return all;
  }

  void before_fork() noexcept;

 private:
  struct Readers {
    std::size_t reading = 0;
    std::deque<MissingPage> queue{};
    std::vector<std::jthread> threads{};
  };
  /// What a thread does with the fault that it has read.
  enum class Turn {
    resolve,              ///< others read meanwhile
    resolve_and_read_on,  ///< nobody else reads: copy pages only
    queue,                ///< a busy thread resolves it later
  };

  void add_thread(Readers& readers);
  void run();
  void check_not_needed() const;
  Turn turn_for(const MissingPage& missing);
  Turn enqueue(Readers& readers, const MissingPage& missing) noexcept;
  Turn make_room(Readers& readers) noexcept;
  std::optional<MissingPage> take_next();
  void resolve(const MissingPage& missing, Turn turn);
  std::shared_ptr<FaultSink> find(const std::byte* page) const;

  Options options_;
  Userfaultfd pages_;
  Guarded<std::vector<std::shared_ptr<FaultSink>>> sinks_;
  std::atomic<std::size_t> awake_{0};  ///< threads that have begun
  Guarded<Readers> readers_;
};

/// The one `Service` of the process, made at first use and never destroyed: its threads run until the process ends. If
/// the program has closed the descriptor of a service that nothing needs, the next use makes another. A service has
/// `start()`, a FaultHandler named `faults`, and its `fork_place`. A child of fork begins without one.
template <class Service>
class ProcessWide final {
 public:
  /// Makes the service where there is none, and calls its start() each time. Throws what these throw; std::bad_alloc.
  static std::shared_ptr<Service> get() {
    return place().with([](std::shared_ptr<Service>& service) {
      register_fork_handlers(Service::fork_place, {.before = before_fork, .in_child = in_child});
      if (service != nullptr && service->faults.is_spent()) {
        // Never destroyed: its threads may be in the kernel for ever.
        static auto& spent = *new std::vector<std::shared_ptr<Service>>;
        spent.push_back(std::exchange(service, nullptr));
      }
      if (service == nullptr) service = std::make_shared<Service>();
      service->start();
      return service;
    });
  }

  /// Null when none was made.
  static std::shared_ptr<Service> if_made() {
    return place().with([](const auto& made) { return made; });
  }

 private:
  using Place = Guarded<std::shared_ptr<Service>>;

  static void before_fork() noexcept {
    if (const std::shared_ptr<Service> service = if_made()) service->faults.before_fork();
  }
  static void in_child() noexcept;

  static Place& place() {
    static Place& made = *new Place;
    return made;
  }
};

/// In a child of fork: the service threads are the parent's. Allocates nothing.
void forget_parents_threads() noexcept;

/// Another thread of the parent may have held the lock, and the allocator's: the child allocates and destroys nothing.
template <class Service>
void ProcessWide<Service>::in_child() noexcept {
  forget_parents_threads();
  new (&place()) Place;
}

}  // namespace moult::internal

// Who answers when an object is accessed that a progressive access watches.
#pragma once

#include <atomic>
#include <list>
#include <memory>
#include <thread>
#include <vector>

#include "base/guarded.hpp"
#include "platform/userfaultfd.hpp"
#include "watch/watchers.hpp"

namespace moult::internal {

class ProgressiveAccess;

/// One for the process, made at its first use. Its threads sleep while nothing is accessed.
class AccessServer final {
 public:
  /// Throws Error (unsupported) where there is no userfaultfd; std::bad_alloc, std::system_error where no thread can be
  /// made.
  static std::shared_ptr<AccessServer> get();
  ~AccessServer();
  AccessServer(const AccessServer&) = delete;
  AccessServer& operator=(const AccessServer&) = delete;

  Userfaultfd& pages() noexcept { return pages_; }

  /// From add to remove the access is asked for every page of its that is touched. Throws std::bad_alloc.
  void add(std::shared_ptr<ProgressiveAccess> access);
  void remove(const ProgressiveAccess& access) noexcept;
  /// What is between the two in the process.
  static std::vector<std::shared_ptr<ProgressiveAccess>> unfinished();

  using Requests = std::list<std::shared_ptr<ProgressiveAccess>>;
  /// Has a thread visit what these accesses want to be visited.
  void visit(Requests requests) noexcept;

 private:
  AccessServer() = default;
  void start();
  [[noreturn]] void read_touches();
  void serve(const MissingPage& missing);
  std::shared_ptr<ProgressiveAccess> find(const std::byte* page) const;
  [[noreturn]] void run_visits();
  std::shared_ptr<ProgressiveAccess> next_to_visit();
  static void before_fork() noexcept;
  static void in_child() noexcept;

  Userfaultfd pages_;
  Guarded<Watchers<ProgressiveAccess>> accesses_;
  Guarded<Requests> to_visit_;
  std::atomic<bool> is_awake_{false};
  std::jthread reader_;
  std::jthread visitor_;
};

}  // namespace moult::internal

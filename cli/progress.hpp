// How far a conversion of many objects is: a bar on a terminal, plain lines elsewhere, on standard error.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "target.hpp"

namespace moult::internal::cli {

struct WorkState {
  std::string what;  ///< "app::Data to DataV2"
  double done = 0;   ///< objects
  double total = 0;
};

/// "950", "43 k", "1.2 M", "10 M".
std::string short_count(double count);

/// Tells rate and time left, from what was seen first and what is seen now.
class ProgressMeter final {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// "app::Data to DataV2: 45 %, 4.5 M of 10 M objects, 2.1 M a second, 2.6 s left".
  std::string line(const WorkState& now, Time time);
  /// The same behind a bar, cut to `columns` characters.
  std::string bar(const WorkState& now, Time time, std::size_t columns);

 private:
  std::string numbers(const WorkState& now, Time time);

  std::optional<std::pair<WorkState, Time>> first_;
};

class ProgressDisplay final {
 public:
  ProgressDisplay();
  /// Takes the bar away.
  ~ProgressDisplay();
  ProgressDisplay(const ProgressDisplay&) = delete;
  ProgressDisplay& operator=(const ProgressDisplay&) = delete;

  /// Another `number`, another piece of work. Elsewhere than on a terminal most calls write nothing.
  void show(std::uint64_t number, const WorkState& now);

 private:
  bool is_terminal_;
  bool has_bar_ = false;
  std::uint64_t number_ = 0;
  ProgressMeter meter_;
  ProgressMeter::Time next_line_;
};

/// Whether a person looks at standard error.
bool is_watched() noexcept;

/// Shows what the program stands still for, for as long as it lives.
class StopProgress final {
 public:
  explicit StopProgress(const Target& target);
  ~StopProgress() = default;  // joins the thread
  StopProgress(const StopProgress&) = delete;
  StopProgress& operator=(const StopProgress&) = delete;

 private:
  void run(const std::stop_token& stop);

  std::filesystem::path file_;
  std::mutex mutex_;
  std::condition_variable_any ended_;
  std::jthread thread_;
};

enum class Follow { all, drained };
/// Shows how far conversions at first use are until none is left; those that nobody drains not, unless `all` are
/// wanted. Throws CommandFailure when the program cannot be asked.
void follow_conversions(const Target& target, Follow which);

}  // namespace moult::internal::cli

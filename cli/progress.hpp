// The progress of a conversion of many objects, on standard error: a bar on a terminal, plain lines elsewhere.
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

/// Computes rate and remaining time from the first and the present state.
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
  /// Removes the bar.
  ~ProgressDisplay();
  ProgressDisplay(const ProgressDisplay&) = delete;
  ProgressDisplay& operator=(const ProgressDisplay&) = delete;

  /// Another `number` is another piece of work. Most calls write nothing except on a terminal.
  void show(std::uint64_t number, const WorkState& now);

 private:
  bool is_terminal_;
  bool has_bar_ = false;
  std::uint64_t number_ = 0;
  ProgressMeter meter_;
  ProgressMeter::Time next_line_;
};

/// True when standard error is a terminal.
bool is_watched() noexcept;

/// While it lives, shows the work for which the program stands still.
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
/// Shows the progress of conversions at first use until none is left; without those that no thread drains, unless `all`
/// are wanted. Throws CommandFailure when the program does not answer.
void follow_conversions(const Target& target, Follow which);

}  // namespace moult::internal::cli

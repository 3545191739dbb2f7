#include "progress.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "console.hpp"
#include "protocol/progress_file.hpp"
#include "protocol/reply.hpp"

namespace moult::internal::cli {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds between_looks{200};
constexpr std::chrono::seconds between_lines{2};
constexpr std::size_t bar_width = 20;

std::size_t columns_of_terminal() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

void write_error(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

double part_of(const WorkState& now) { return now.total > 0 ? std::min(1.0, now.done / now.total) : 0; }

std::string percent(const WorkState& now) { return std::to_string(static_cast<int>(100 * part_of(now))) + " %"; }

/// At most that many characters; only a class's name has characters of several bytes.
std::string cut(std::string text, std::size_t most) {
  if (text.size() > most) text.resize(most);
  return text;
}

std::optional<WaitingRecord> first_wanted(const ObjectsReply& reply, Follow which) {
  const auto found = std::ranges::find_if(
      reply.waiting, [=](const WaitingRecord& each) { return which == Follow::all || each.drained; });
  return found == reply.waiting.end() ? std::nullopt : std::optional(*found);
}

}  // namespace

std::string short_count(double count) {
  struct Unit {
    double size;
    const char* sign;
  };
  constexpr std::array<Unit, 3> units{{{1e9, " G"}, {1e6, " M"}, {1e3, " k"}}};
  const auto unit = std::ranges::find_if(units, [=](const Unit& each) { return count >= each.size; });
  std::array<char, 40> text{};
  const double value = unit == units.end() ? count : count / unit->size;
  std::snprintf(text.data(), text.size(), unit != units.end() && value < 9.95 ? "%.1f" : "%.0f", value);
  return text.data() + std::string(unit == units.end() ? "" : unit->sign);
}

std::string ProgressMeter::numbers(const WorkState& now, Time time) {
  if (!first_ || now.done < first_->first.done) first_.emplace(now, time);
  std::string text = short_count(now.done) + " of " + short_count(now.total) + " objects";
  const double seconds = std::chrono::duration<double>(time - first_->second).count();
  const double rate = seconds > 0 ? (now.done - first_->first.done) / seconds : 0;
  if (rate <= 0) return text;
  const std::chrono::duration<double> left((now.total - now.done) / rate);
  return text + ", " + short_count(rate) + " a second, " +
         to_text(std::chrono::duration_cast<std::chrono::nanoseconds>(left)) + " left";
}

std::string ProgressMeter::line(const WorkState& now, Time time) {
  return now.what + ": " + percent(now) + ", " + numbers(now, time);
}

std::string ProgressMeter::bar(const WorkState& now, Time time, std::size_t columns) {
  const auto full = static_cast<std::size_t>(part_of(now) * bar_width);
  const std::string number = percent(now);
  return cut("[" + std::string(full, '#') + std::string(bar_width - full, '.') + "] " +
                 std::string(5 - std::min<std::size_t>(5, number.size()), ' ') + number + "  " + numbers(now, time) +
                 "  " + now.what,
             columns);
}

bool is_watched() noexcept { return ::isatty(STDERR_FILENO) == 1; }

ProgressDisplay::ProgressDisplay() : is_terminal_(is_watched()), next_line_(Clock::now()) {}

ProgressDisplay::~ProgressDisplay() {
  if (has_bar_) write_error("\r\033[K");
}

void ProgressDisplay::show(std::uint64_t number, const WorkState& now) {
  if (number != number_) meter_ = ProgressMeter();
  number_ = number;
  const Clock::time_point time = Clock::now();
  if (is_terminal_) {
    write_error("\r\033[K" + meter_.bar(now, time, columns_of_terminal() - 1));
    has_bar_ = true;
    return;
  }
  const std::string line = meter_.line(now, time);
  if (time < next_line_) return;
  next_line_ = time + between_lines;
  complain(line);
}

StopProgress::StopProgress(const Target& target)
    : file_(std::filesystem::path(target.socket).parent_path() / progress_name(target.pid)),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

void StopProgress::run(const std::stop_token& stop) {
  ProgressDisplay display;
  std::unique_lock lock(mutex_);
  while (!ended_.wait_for(lock, stop, between_looks, [] { return false; }) && !stop.stop_requested())
    if (const std::optional<WorkInProgress> work = read_progress(file_))
      display.show(work->number, {work->what, work->done, static_cast<double>(work->objects)});
}

void follow_conversions(const Target& target, Follow which) {
  ProgressDisplay display;
  std::string shown;
  for (std::uint64_t number = 0;; std::this_thread::sleep_for(between_looks)) {
    const std::string line = ask(target, ObjectsRequest{}, std::chrono::seconds(30));
    const std::optional<WaitingRecord> next = first_wanted(parse_objects(printable(line)), which);
    if (!next) return;
    const std::string what = next->old_class + " to " + next->new_class;
    if (what != shown) ++number;
    shown = what;
    display.show(number,
                 {what, static_cast<double>(next->converted + next->failed), static_cast<double>(next->objects)});
  }
}

}  // namespace moult::internal::cli

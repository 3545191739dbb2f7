// Commands from a FIFO, after Pymoult's PipeListener. Its loop spins at end of file; this one keeps a writing end open,
// so there is no end of file, and the thread sleeps until a line arrives. A FIFO has no way back: replies are lines of
// the log. Commands run one after the other.
#include <unistd.h>

#include <array>
#include <exception>
#include <stop_token>
#include <thread>
#include <utility>

#include "base/own_thread.hpp"
#include "base/warning.hpp"
#include "control/execute.hpp"
#include "moult/error.hpp"
#include "moult/listener.hpp"
#include "moult/log.hpp"
#include "platform/event_poll.hpp"
#include "platform/sockets.hpp"
#include "platform/tasks.hpp"
#include "protocol/line_splitter.hpp"

namespace moult {
namespace {

constexpr std::uint64_t waker_key = 0;
constexpr std::uint64_t fifo_key = 1;

}  // namespace

class PipeListener::Impl final {
 public:
  explicit Impl(internal::PathSocket fifo) : fifo_(std::move(fifo)), backend_(internal::live_backend()) {
    poll_.add(waker_.fd(), waker_key, {.read = true});
    poll_.add(fifo_.socket, fifo_key, {.read = true});
    thread_ = internal::start_own_thread([this](const std::stop_token& stop) { serve(stop); });
  }

  bool is_of_this_process() const noexcept { return maker_ == ::getpid(); }

 private:
  void serve(const std::stop_token& stop) noexcept {
    internal::name_this_thread("moult pipe");
    const std::stop_callback wake_up(stop, [this] { waker_.wake(); });
    std::array<internal::Ready, 2> buffer;
    bool is_lost = false;
    while (!stop.stop_requested() && !is_lost)
      for (const internal::Ready& ready : poll_.wait(buffer, std::nullopt)) {
        is_lost = is_lost || ready.is_lost;
        if (ready.key == fifo_key && !is_lost) read_lines(stop);
      }
    if (is_lost) warn_of_loss();
    fifo_ = {};
  }

  void warn_of_loss() const noexcept {
    try {
      internal::warn(
          fifo_.path.path() +
          ": the program has closed the listener's descriptors, so the PipeListener has ended; make it after "
          "that, or close only descriptors that the program has opened");
    } catch (const std::exception&) {  // no memory for the words
    }
  }

  void read_lines(const std::stop_token& stop) noexcept {
    std::array<char, 4096> bytes;
    const internal::TransferResult result = internal::read_from(fifo_.socket, bytes.data(), bytes.size());
    try {
      splitter_.feed({bytes.data(), result.bytes});
      while (const std::optional<internal::Line> line = splitter_.next())
        if (!stop.stop_requested()) tell(*line, outcome_of(*line, stop));
    } catch (const std::exception&) {
      splitter_ = internal::LineSplitter();  // no memory: this line is lost, the listener goes on
    }
  }

  internal::Result outcome_of(const internal::Line& line, const std::stop_token& stop) const {
    if (line.too_long) return internal::Failure{ErrorCode::invalid_argument, "the command is longer than 1 MiB"};
    return internal::execute(internal::parse_request(line.text).command, backend_, stop);
  }

  void tell(const internal::Line& line, const internal::Result& result) const {
    const std::string reply = internal::format_reply({}, result);
    const std::string text = fifo_.path.path() + ": " + line.text + ": " + reply;
    if (internal::parse_failure(reply))
      internal::warn(text);
    else
      log(text);
  }

  pid_t maker_ = ::getpid();
  internal::PathSocket fifo_;
  internal::Backend backend_;
  internal::EventPoll poll_;
  internal::Waker waker_;
  internal::LineSplitter splitter_;
  std::jthread thread_;
};

PipeListener::PipeListener(const std::string& path) : impl_(std::make_unique<Impl>(internal::make_fifo(path))) {}

PipeListener::~PipeListener() {
  if (!impl_->is_of_this_process()) static_cast<void>(impl_.release());  // left to the parent
}

}  // namespace moult

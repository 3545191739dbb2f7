// key_value_prober --port N [--connections N] [--rate N] [--keys N] [--samples FILE] [--progress N] [--reconnect]
// key_value_prober --write FILE [--keys N]
//
// Asks a server for keys of its own, a thread for each connection, and checks every reply, until SIGTERM or SIGINT
// comes. Each connection sends `rate` requests a second (0: as many as it can); a request that is late because the one
// before it took long counts from when it was due, so that a pause is seen by all that it kept waiting. With --samples
// every request is written down: when it was due, in nanoseconds of the monotonic clock, and its latency in
// nanoseconds.
//
// Ends with 0 only when every request had its reply, and that was right. With --reconnect a connection that is closed
// is made anew, and requests without reply are only counted.
//
// --write makes a file for the server to load: the prober's keys, and as many of redis-benchmark's beside them.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <map>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <thread>
#include <vector>

#include "../descriptor.hpp"
#include "../end_signals.hpp"
#include "../protocol.hpp"
#include "expectation.hpp"

namespace key_value {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds until_next_try{10};  // to reach a server that is gone

struct Options {
  std::int64_t port = 0;
  std::int64_t connections = 4;
  std::int64_t rate = 1000;
  std::int64_t keys = 1000;
  std::int64_t progress = 0;
  std::string samples{};
  std::string write_to{};
  bool reconnects = false;
};

Options parse(int count, char** words) {
  Options options;
  const std::map<std::string, std::int64_t*> numbers = {{"--port", &options.port},
                                                        {"--connections", &options.connections},
                                                        {"--rate", &options.rate},
                                                        {"--keys", &options.keys},
                                                        {"--progress", &options.progress}};
  const std::map<std::string, std::string*> files = {{"--samples", &options.samples}, {"--write", &options.write_to}};
  for (int i = 1; i < count; ++i) {
    const std::string option = words[i];
    if (option == "--reconnect") {
      options.reconnects = true;
      continue;
    }
    if (i + 1 == count) throw std::invalid_argument(option + " needs a value, or is none");
    const std::string value = words[++i];
    const std::optional<std::int64_t> number = parse_integer(value);
    if (auto file = files.find(option); file != files.end())
      *file->second = value;
    else if (auto named = numbers.find(option); named != numbers.end() && number && *number >= 0)
      *named->second = *number;
    else
      throw std::invalid_argument("no such option: " + option);
  }
  if (options.connections < 1 || options.keys < options.connections)
    throw std::invalid_argument("there must be a connection, and a key for each");
  return options;
}

struct Sample {
  Clock::time_point due;
  Clock::duration latency;
};

/// What all connections have seen so far.
struct Totals {
  std::atomic<std::uint64_t> requests = 0;
  std::atomic<std::uint64_t> wrong = 0;
  std::atomic<std::uint64_t> lost = 0;
  std::atomic<bool> is_broken = false;  ///< a connection could not go on
};

class Lost final : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// One connection, on which a request is sent and its reply waited for.
class Client final {
 public:
  explicit Client(std::int64_t port) : socket_(checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket")) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int on = 1;
    const timeval longest{.tv_sec = 60, .tv_usec = 0};
    checked(::setsockopt(socket_.number(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), "setsockopt");
    checked(::setsockopt(socket_.number(), SOL_SOCKET, SO_RCVTIMEO, &longest, sizeof longest), "setsockopt");
    if (::connect(socket_.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      throw Lost("no server");
  }

  Reply ask(const std::string& request) {
    if (::send(socket_.number(), request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size()))
      throw Lost("the server closed the connection");
    std::string input;
    for (;;) {
      char bytes[4096];
      const ssize_t count = ::recv(socket_.number(), bytes, sizeof bytes, 0);
      if (count <= 0) throw Lost(count == 0 ? "the server closed the connection" : "the server sends no reply");
      input.append(bytes, static_cast<std::size_t>(count));
      const std::optional<Reply> reply = parse_reply(input);
      if (!reply) continue;
      if (reply->length != input.size()) throw std::runtime_error("the server sent more than one reply");
      return *reply;
    }
  }

 private:
  Descriptor socket_;
};

class Prober final {
 public:
  Prober(const Options& options, std::size_t number, Totals& totals)
      : options_(options),
        totals_(totals),
        expectation_(number, static_cast<std::size_t>(options.connections), static_cast<std::size_t>(options.keys)) {}

  void run(const std::stop_token& stop) {
    Clock::time_point due = Clock::now();
    const Clock::duration period =
        options_.rate == 0 ? Clock::duration{} : Clock::duration(std::chrono::seconds(1)) / options_.rate;
    while (!stop.stop_requested()) {
      if (options_.rate == 0) due = Clock::now();
      std::this_thread::sleep_until(due);
      probe();
      if (!options_.samples.empty()) samples_.push_back({due, Clock::now() - due});
      due += period;
    }
  }

  const std::vector<Sample>& samples() const { return samples_; }
  const Expectation& expectation() const { return expectation_; }

 private:
  /// Asks once; with --reconnect, until there is a reply.
  void probe() {
    const std::string request = expectation_.next_request();
    for (;;) {
      try {
        if (!client_) client_.emplace(options_.port);
        judge(expectation_.check(client_->ask(request)));
        return;
      } catch (const Lost&) {
        if (client_) note_loss();
        client_.reset();
        if (!options_.reconnects) throw;
        std::this_thread::sleep_for(until_next_try);
      }
    }
  }

  void judge(const std::string& mistake) {
    const std::uint64_t count = ++totals_.requests;
    if (options_.progress > 0 && count % static_cast<std::uint64_t>(options_.progress) == 0) {
      std::printf("%llu requests\n", static_cast<unsigned long long>(count));
      std::fflush(stdout);
    }
    if (mistake.empty()) return;
    if (++totals_.wrong <= 10) std::fprintf(stderr, "key_value_prober: %s\n", mistake.c_str());
  }

  void note_loss() {
    expectation_.lose();
    ++totals_.lost;
  }

  const Options& options_;
  Totals& totals_;
  Expectation expectation_;
  std::optional<Client> client_;
  std::vector<Sample> samples_;
};

void write_samples(const std::string& path, const std::vector<Prober>& probers) {
  std::ofstream file(path);
  for (const Prober& prober : probers)
    for (const Sample& sample : prober.samples())
      file << sample.due.time_since_epoch().count() << ' ' << sample.latency.count() << '\n';
  file.close();
  if (!file) throw std::runtime_error(path + " cannot be written");
}

void write_keys(const std::string& path, std::size_t count) {
  std::ofstream file(path, std::ios::binary);
  for (std::size_t number = 0; number < count; ++number) {
    char others[32];
    std::snprintf(others, sizeof others, "key:%012zu", number);
    file << bytes_of({{"SET", probe_key(number), probe_value(number, 0)}}) << bytes_of({{"SET", others, "xxx"}});
  }
  file.close();
  if (!file) throw std::runtime_error(path + " cannot be written");
}

/// A thread that can go on no more tells main, which waits for the end.
void run_until(const std::stop_token& stop, Prober& prober, Totals& totals) {
  try {
    prober.run(stop);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "key_value_prober: %s\n", error.what());
    totals.is_broken = true;
    ::kill(::getpid(), SIGTERM);
  }
}

bool run(const Options& options) {
  const sigset_t ends = block_end_signals();
  Totals totals;
  std::vector<Prober> probers;
  for (std::int64_t i = 0; i < options.connections; ++i)
    probers.emplace_back(options, static_cast<std::size_t>(i), totals);
  {
    std::vector<std::jthread> threads;
    for (Prober& prober : probers)
      threads.emplace_back([&](const std::stop_token& stop) { run_until(stop, prober, totals); });
    int end = 0;
    ::sigwait(&ends, &end);
  }
  std::uint64_t of_1 = 0;
  std::uint64_t of_2 = 0;
  for (const Prober& prober : probers) {
    of_1 += prober.expectation().replies_of_version(1);
    of_2 += prober.expectation().replies_of_version(2);
  }
  if (!options.samples.empty()) write_samples(options.samples, probers);
  std::cout << "requests " << totals.requests << " wrong " << totals.wrong << " lost " << totals.lost << " version_1 "
            << of_1 << " version_2 " << of_2 << std::endl;
  return totals.wrong == 0 && !totals.is_broken;
}

}  // namespace
}  // namespace key_value

int main(int count, char** words) try {
  const key_value::Options options = key_value::parse(count, words);
  if (!options.write_to.empty()) {
    key_value::write_keys(options.write_to, static_cast<std::size_t>(options.keys));
    return 0;
  }
  return key_value::run(options) ? 0 : 1;
} catch (const std::exception& error) {
  std::cerr << "key_value_prober: " << error.what() << std::endl;
  return 1;
}

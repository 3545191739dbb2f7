// A server with a million entries is updated under the load of redis-benchmark. Its clients' view is compared with no
// update at all, and with the alternative: stop, save, start, load.
//
// Forty connections of a prober (examples/key_value_server/prober) measure. On each, a request is due every ten
// milliseconds, and every reply is checked. Latency counts from the due time, so it includes every request that a pause
// delayed. The four ways take turns, each with a new server. The figures are medians of the rounds, over the same
// seconds around the update. redis-benchmark runs to its end, with a reply for each of its requests.
//
// The pure conversion is two hand-written loops over an array of as many entries: one makes the new values, one moves
// them into place. It is measured with one thread, and with one for each processor, as the eager update does it.
#include <sys/utsname.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <memory>
#include <new>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "bench.hpp"
#include "entries_by_hand.hpp"
#include "latency_plot.hpp"
#include "process.hpp"
#include "runtime_folder.hpp"

namespace bench {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::seconds;

constexpr std::size_t entry_count = 1'000'000;
constexpr std::size_t probed_keys = entry_count / 2;  // the rest is redis-benchmark's
constexpr int rounds = 3;
constexpr int seconds_before = 1;  // which count, of the moment of the update
constexpr int seconds_after = 4;

enum class Way { none, eager, lazy, restart };
constexpr Way all_ways[] = {Way::none, Way::eager, Way::lazy, Way::restart};

const char* name_of(Way way) {
  switch (way) {
    case Way::none: return "no update";
    case Way::eager: return "eager update";
    case Way::lazy: return "lazy update";
    case Way::restart: return "stop, save, start, load";
  }
  return "";
}

/// The observations of one way in one round.
struct Seen {
  std::vector<Latency> latencies;  ///< all of them
  double median = 0;               ///< milliseconds; these, of the seconds that count
  double p99 = 0;
  double p999 = 0;
  double worst = 0;
  double pause = 0;  ///< milliseconds, as moult says; 0: none
  double requests_per_second = 0;
  long wrong = 0;
  long lost = 0;
};

/// A server under load.
class Server final {
 public:
  Server(const Programs& programs, const std::string& load_from, const std::string& save_to, const std::string& port)
      : process_(
            {programs.key_value_folder + "/key_value_server", "--port", port, "--load", load_from, "--save", save_to}) {
    const std::string line = process_.read_line();
    const std::size_t at = line.rfind(' ');
    if (!line.starts_with("serving") || at == std::string::npos)
      throw std::runtime_error("key_value_server did not start: " + line);
    port_ = line.substr(at + 1);
  }
  const std::string& port() const { return port_; }
  std::string id() const { return process_.id(); }
  void stop() {
    process_.send(SIGTERM);
    if (process_.wait() != 0) throw std::runtime_error("key_value_server did not end well");
  }

 private:
  Process process_;
  std::string port_;
};

Process start_benchmark(const std::string& port) {
  return Process(
      {"redis-benchmark", "-p", port, "-t", "set,get", "-n", "200000", "-r", std::to_string(probed_keys), "--csv"});
}

/// Requests a second by redis-benchmark's output: a heading, and a line for each command with its rate.
double rate_of(Process benchmark) {
  std::istringstream text(benchmark.read_all());
  if (benchmark.wait() != 0) throw std::runtime_error("redis-benchmark failed: " + text.str());
  double sum = 0;
  int count = 0;
  std::string line;
  std::getline(text, line);
  while (std::getline(text, line)) {
    sum += std::stod(line.substr(line.find(",\"") + 2));
    ++count;
  }
  return count == 0 ? 0 : sum / count;
}

/// Milliseconds that the program stood still.
double apply(const Programs& programs, const Server& server, const std::string& update) {
  const std::string text =
      output_of({programs.command, "apply", server.id(), programs.key_value_folder + "/" + update, "--json"});
  return nlohmann::json::parse(text).at("updates").at(0).at("pause_ns").get<double>() / 1e6;
}

/// Parses the prober's last line: "requests N wrong N lost N version_1 N version_2 N".
void read_counts(const std::string& text, Seen& seen) {
  std::istringstream words(text);
  std::string word;
  long requests = 0;
  if (!(words >> word >> requests >> word >> seen.wrong >> word >> seen.lost) || requests == 0)
    throw std::runtime_error("key_value_prober says: " + text);
}

std::vector<Latency> read_latencies(const std::string& path, Clock::time_point since) {
  std::ifstream file(path);
  std::vector<Latency> latencies;
  std::int64_t due = 0;
  std::int64_t latency = 0;
  const std::int64_t begin = std::chrono::nanoseconds(since.time_since_epoch()).count();
  while (file >> due >> latency)
    latencies.push_back({static_cast<double>(due - begin) / 1e9, static_cast<double>(latency) / 1e6});
  return latencies;
}

void summarise(Seen& seen) {
  std::vector<double> counted;
  for (const Latency& latency : seen.latencies)
    if (latency.due >= -seconds_before && latency.due < seconds_after) counted.push_back(latency.milliseconds);
  std::sort(counted.begin(), counted.end());
  if (counted.empty()) throw std::runtime_error("key_value_prober measured nothing around the update");
  const auto quantile = [&](double part) {
    return counted[static_cast<std::size_t>(part * static_cast<double>(counted.size() - 1))];
  };
  seen.median = quantile(0.5);
  seen.p99 = quantile(0.99);
  seen.p999 = quantile(0.999);
  seen.worst = counted.back();
}

Seen measure(Way way, const Programs& programs, const std::filesystem::path& folder) {
  const std::string keys = folder / "keys";
  const std::string saved = folder / "saved";
  const std::string samples = folder / "samples";
  std::vector<std::string> prober_command = {programs.key_value_folder + "/key_value_prober",
                                             "--keys",
                                             std::to_string(probed_keys),
                                             "--connections",
                                             "40",
                                             "--rate",
                                             "100",
                                             "--samples",
                                             samples};
  auto server = std::make_unique<Server>(programs, keys, saved, "0");
  const std::string port = server->port();
  prober_command.insert(prober_command.end(), {"--port", port});
  if (way == Way::restart) prober_command.emplace_back("--reconnect");
  Process prober(prober_command);
  Process benchmark = start_benchmark(port);
  std::this_thread::sleep_for(seconds(seconds_before + 1));

  Seen seen;
  const Clock::time_point begin = Clock::now();
  if (way == Way::eager) seen.pause = apply(programs, *server, "key_value_eager.so");
  if (way == Way::lazy) seen.pause = apply(programs, *server, "key_value_lazy.so");
  if (way == Way::restart) {
    server->stop();
    benchmark.wait();  // it ends when its connections do
    server = std::make_unique<Server>(programs, saved, saved, port);
    benchmark = start_benchmark(port);
  }
  std::this_thread::sleep_until(begin + seconds(seconds_after + 1));
  seen.requests_per_second = rate_of(std::move(benchmark));
  prober.send(SIGTERM);
  read_counts(prober.read_all(), seen);
  prober.wait();
  server->stop();
  seen.latencies = read_latencies(samples, begin);
  summarise(seen);
  return seen;
}

/// The medians of a way's figures, and the latencies of the round whose worst latency is the median.
Seen median_of(std::vector<Seen> all) {
  const auto figure = [&](double Seen::*member) {
    std::vector<double> figures;
    for (const Seen& seen : all) figures.push_back(seen.*member);
    return median(figures);
  };
  Seen typical;
  for (double Seen::*member :
       {&Seen::median, &Seen::p99, &Seen::p999, &Seen::worst, &Seen::pause, &Seen::requests_per_second})
    typical.*member = figure(member);
  for (Seen& seen : all) {
    typical.wrong += seen.wrong;
    typical.lost += seen.lost;
    if (seen.worst == typical.worst) typical.latencies = std::move(seen.latencies);
  }
  return typical;
}

std::string processor() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  return "unknown";
}

std::string machine() {
  utsname system{};
  ::uname(&system);
  return std::to_string(std::thread::hardware_concurrency()) + " processors (" + processor() + "), Linux " +
         std::string(system.release).substr(0, std::string(system.release).find('-'));
}

std::string in_milliseconds(double value) {
  char text[32];
  std::snprintf(text, sizeof text, value < 10 ? "%.2f ms" : "%.0f ms", value);
  return text;
}

void write_table(const std::vector<Seen>& seen, const Pair& by_hand, const std::string& path) {
  std::ofstream file(path);
  file << "| | median | p99 | p99.9 | worst | pause | lost or wrong | redis-benchmark "
          "|\n|---|---|---|---|---|---|---|---|\n";
  for (std::size_t i = 0; i < seen.size(); ++i) {
    const Seen& row = seen[i];
    file << "| " << name_of(all_ways[i]) << " | " << in_milliseconds(row.median) << " | " << in_milliseconds(row.p99)
         << " | " << in_milliseconds(row.p999) << " | " << in_milliseconds(row.worst) << " | "
         << (row.pause > 0 ? in_milliseconds(row.pause) : "") << " | " << row.wrong + row.lost << " | "
         << std::lround(row.requests_per_second / 1000) << "k requests/s |\n";
  }
  file << "\nLatencies of 40 clients beside redis-benchmark, from " << seconds_before << " s before the update to "
       << seconds_after << " s after it, medians of " << rounds << " rounds. A loop by hand converts the entries in "
       << in_milliseconds(by_hand.measured) << ", with every processor in " << in_milliseconds(by_hand.reference)
       << ". " << machine() << ".\n";
}

void write_plot(std::vector<Seen>& seen, const std::string& path) {
  LatencyPlot plot{.title = "A key-value server with 1,000,000 entries gets a new version under load",
                   .panels = {{"lazy update: each entry is converted at its first use", "#1b7837", {}},
                              {"eager update: all entries are converted in one stop", "#2166ac", {}},
                              {"stop, save, start, load", "#b2182b", {}}},
                   .begin = -seconds_before,
                   .end = seconds_after,
                   .mark = "the update was sent, or the server told to stop",
                   .usual_worst = seen[0].worst,
                   .usual_worst_is = "slowest without an update",
                   .caption = {"40 clients with 100 requests/s each, counted from when a request was due; beside them "
                               "redis-benchmark -c 50 -t set,get.",
                               machine()}};
  plot.panels[0].latencies = std::move(seen[2].latencies);
  plot.panels[1].latencies = std::move(seen[1].latencies);
  plot.panels[2].latencies = std::move(seen[3].latencies);
  std::ofstream(path) << svg_of(plot);
}

Rows rows_of(const std::vector<Seen>& seen, double by_one, double by_every_processor) {
  const Seen& none = seen[0];
  const Seen& eager = seen[1];
  const Seen& lazy = seen[2];
  const Seen& restart = seen[3];
  const double lost = static_cast<double>(eager.wrong + eager.lost + lazy.wrong + lazy.lost);
  constexpr double margin = 10;  // milliseconds
  return {
      {"replies lost or wrong, updates of 1M entries under load", lost, "", "none", lost, 0},
      {"lazy update of 1M entries under load, clients' p99.9", lazy.p999, "ms",
       "without an update: " + in_milliseconds(none.p999), lazy.p999 / none.p999, 2},
      {"lazy update of 1M entries under load, clients' worst", lazy.worst, "ms",
       "without an update, and 10 ms: " + in_milliseconds(none.worst + margin), lazy.worst / (none.worst + margin), 1},
      {"eager update of 1M entries under load, pause", eager.pause, "ms",
       "the conversion by hand: " + in_milliseconds(by_one), eager.pause / by_one, 1.5},
      {"eager update of 1M entries under load, pause", eager.pause, "ms",
       "by hand, by every processor: " + in_milliseconds(by_every_processor), eager.pause / by_every_processor, 1.5},
      {"lazy update of 1M entries under load, clients' worst", lazy.worst, "ms",
       "a tenth of a restart's outage: " + in_milliseconds(restart.worst / 10), lazy.worst / (restart.worst / 10), 1}};
}

}  // namespace

Rows measure_key_value_server(const Programs& programs) {
  const RuntimeFolder folder;
  output_of({programs.key_value_folder + "/key_value_prober", "--write", folder.path() / "keys", "--keys",
             std::to_string(probed_keys)});
  std::vector<std::vector<Seen>> all(std::size(all_ways));
  for (int round = 0; round < rounds; ++round)
    for (std::size_t i = 0; i < std::size(all_ways); ++i)
      all[i].push_back(measure(all_ways[i], programs, folder.path()));
  std::vector<Seen> seen;
  for (std::vector<Seen>& of_way : all) seen.push_back(median_of(std::move(of_way)));

  EntriesByHand array(entry_count);
  const Pair by_hand = interleave(
      2 * rounds, [&] { return array.convert(1); },
      [&] { return array.convert(std::max(1U, std::thread::hardware_concurrency())); });
  write_table(seen, by_hand, programs.results_folder + "/key_value_server.md");
  Rows rows = rows_of(seen, by_hand.measured, by_hand.reference);
  write_plot(seen, programs.results_folder + "/key_value_server.svg");
  return rows;
}

}  // namespace bench

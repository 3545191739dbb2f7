// key_value_server [--port N] [--threads N] [--load FILE] [--save FILE] [--debug-commands]
//
// Serves the Redis protocol on 127.0.0.1 until SIGTERM or SIGINT comes, and says which port it took.
#include <moult/moult.hpp>

#include <algorithm>
#include <csignal>
#include <exception>
#include <iostream>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>

#include "end_signals.hpp"
#include "server.hpp"
#include "snapshot.hpp"

namespace {

struct Options {
  std::uint16_t port = 0;
  unsigned threads = std::max(2U, std::thread::hardware_concurrency());
  std::string load_from{};
  std::string save_to{};
  bool has_debug_commands = false;
};

std::int64_t number_between(std::int64_t fewest, std::int64_t most, const std::string& text) {
  const std::optional<std::int64_t> number = key_value::parse_integer(text);
  if (!number || *number < fewest || *number > most) throw std::invalid_argument(text + " is no such number");
  return *number;
}

Options parse(int count, char** words) {
  Options options;
  for (int i = 1; i < count; ++i) {
    const std::string option = words[i];
    const auto value = [&] {
      if (i + 1 == count) throw std::invalid_argument(option + " needs a value");
      return std::string(words[++i]);
    };
    if (option == "--port")
      options.port = static_cast<std::uint16_t>(number_between(0, std::numeric_limits<std::uint16_t>::max(), value()));
    else if (option == "--threads")
      options.threads = static_cast<unsigned>(number_between(1, 256, value()));
    else if (option == "--load")
      options.load_from = value();
    else if (option == "--save")
      options.save_to = value();
    else if (option == "--debug-commands")
      options.has_debug_commands = true;
    else
      throw std::invalid_argument("no such option: " + option);
  }
  return options;
}

void run(const Options& options) {
  const sigset_t ends = key_value::block_end_signals();
  key_value::Database database;
  database.has_debug_commands = options.has_debug_commands;
  if (!options.load_from.empty()) key_value::load(database, options.load_from);
  {
    const key_value::Server server(database, options.port, options.threads);
    const moult::Listener listener;
    std::cout << "serving " << database.store.size() << " keys on port " << server.port() << std::endl;
    int end = 0;
    ::sigwait(&ends, &end);
  }
  if (!options.save_to.empty()) key_value::save(database, options.save_to);
}

}  // namespace

int main(int count, char** words) try { run(parse(count, words)); } catch (const std::exception& error) {
  std::cerr << "key_value_server: " << error.what() << std::endl;
  return 1;
}

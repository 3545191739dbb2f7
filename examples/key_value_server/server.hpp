// The server: threads that wait for clients' bytes, each with an epoll set of its own.
#pragma once

#include <cstdint>
#include <thread>
#include <vector>

#include "commands.hpp"
#include "descriptor.hpp"

namespace key_value {

class Server final {
 public:
  /// Listens on 127.0.0.1; port 0 takes one that is free. Throws std::system_error.
  Server(Database& database, std::uint16_t port, unsigned threads);
  /// Lets the threads answer what they are at, and closes all connections.
  ~Server();

  std::uint16_t port() const;

 private:
  Descriptor listening_;
  Descriptor stop_;  ///< readable from the end on
  std::vector<std::jthread> loops_;
};

}  // namespace key_value

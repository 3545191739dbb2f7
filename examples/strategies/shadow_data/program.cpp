// Serves clients: "open NAME", "serve NAME", "close NAME".
#include <iostream>
#include <map>
#include <memory>

#include "connection.hpp"

MOULT_UPDATABLE Connection::Connection(std::string client) : client_(std::move(client)) {}
MOULT_UPDATABLE const std::string& Connection::client() const { return client_; }
MOULT_UPDATABLE void Connection::serve() { std::cout << client_ << " is served" << std::endl; }

int main() {
  const moult::Listener listener;
  std::map<std::string, std::unique_ptr<Connection>> connections;
  for (std::string order, name; std::cin >> order >> name;) {
    if (order == "open") connections[name] = std::make_unique<Connection>(name);
    if (order == "serve") connections.at(name)->serve();
    if (order == "close") connections.erase(name);
  }
}

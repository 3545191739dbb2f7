// A client without manners: PATH half (sends half a request and dies), PATH long (sends two mebibytes without a newline
// and shows the reply), PATH deaf (asks and asks, and reads nothing).

#include <chrono>
#include <csignal>
#include <iostream>
#include <string>

#include "protocol/client.hpp"

int main(int count, char** arguments) {
  if (count != 3) return 2;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  moult::internal::Client client = moult::internal::Client::connect(arguments[1], deadline);
  const std::string manner = arguments[2];
  try {
    if (manner == "long") {
      client.send_line(std::string(std::size_t{2} << 20, 'x'), deadline);
      std::cout << client.read_line(deadline) << std::endl;
      return 0;
    }
    if (manner == "half") {
      client.send_line("{\"command\":\"status\"}\n{\"command\":\"sta", deadline);
      ::raise(SIGKILL);
    }
    // send_line fails when the program takes nothing any more, and does nothing when it has closed the connection.
    const auto enough = std::chrono::steady_clock::now() + std::chrono::milliseconds(500);
    while (std::chrono::steady_clock::now() < deadline) client.send_line("{\"command\":\"status\"}", enough);
  } catch (const moult::Error& error) {
    std::cout << moult::name_of(error.code()) << std::endl;
  }
}

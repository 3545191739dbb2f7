// The server begins anew with another main function, on the same socket.
#include <moult/moult.hpp>

#include <iostream>

#include "server.hpp"

static void serve_v2(Resources* kept) {
  const char* const motto = "the new server greets";
  for (std::string word; word != "stop";) {
    moult::static_update_point("between clients");
    const int connection = ::accept(kept->listening, nullptr, nullptr);
    word = receive(connection);
    send(connection, std::to_string(++kept->answered) + ". " + motto + " " + word);
    ::close(connection);
  }
}

class RestartUpdate final : public moult::ThreadRebootUpdate {
 public:
  RestartUpdate() : ThreadRebootUpdate("server", moult::get_thread_by_name("server"), serve_v2, &resources) {
    set_patience({.max_tries = 60, .max_postponements = 0});  // a minute
  }

  void preupdate_setup() override {
    ThreadRebootUpdate::preupdate_setup();
    std::cout << "the server is awaited at its point" << std::endl;
  }
};

MOULT_UPDATE { moult::threaded_manager("main").add_update(std::make_unique<RestartUpdate>()); }

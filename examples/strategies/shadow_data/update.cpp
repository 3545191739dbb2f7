// Counts how often each client was served. A Connection has no room for that, so the counts lie beside.
#include <iostream>

#include "connection.hpp"

class Connection_v2 : public Connection {
 public:
  void serve();
};

void Connection_v2::serve() {
  const int times = ++moult::field<Connection, int>("times served").of(*this);
  std::cout << client() << " is served, time " << times << std::endl;
}

class CountUpdate final : public moult::Update {
 public:
  CountUpdate() : Update("count") {}

  bool wait_alterability() override { return moult::wait_quiescence_of_function(&Connection::serve, patience()); }

  void apply() override {
    moult::add_field_to_class<Connection, int>("times served");
    moult::redefine_function(&Connection::serve, &Connection_v2::serve);
  }
};

MOULT_UPDATE { moult::threaded_manager("main").add_update(std::make_unique<CountUpdate>()); }

// A connection to a client, for the program and its updates.
#pragma once

#include <moult/moult.hpp>

#include <string>

class Connection : public moult::Updatable<Connection> {  // without a byte to grow into
 public:
  explicit Connection(std::string client);
  const std::string& client() const;
  void serve();

 private:
  std::string client_;
};

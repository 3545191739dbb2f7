// The dial of a heating, for the program and its updates.
#pragma once

#include <moult/moult.hpp>

#include <memory>

#include "visitors.hpp"

/// Each has 16 bytes to grow into.
class Dial : public moult::Updatable<Dial, 16> {
 public:
  explicit Dial(int celsius);
  int celsius() const;
  void set_celsius(int celsius);

 private:
  int celsius_;
};

extern const std::unique_ptr<Dial> dial;

void visit(const std::string& name, Requests& requests);

// A reading of a thermometer, for the program and its updates.
#pragma once

#include <moult/moult.hpp>

#include <string>

class Reading : public moult::Updatable<Reading> {
 public:
  explicit Reading(int degrees) : degrees_(degrees) {}
  int degrees() const { return degrees_; }

 private:
  int degrees_;
};

/// What the program says of all readings.
std::string state();

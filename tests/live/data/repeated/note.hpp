// A class of the program with room to grow, and a function that takes an object of it.
#pragma once

#include <string>

#include "moult/data_update.hpp"

class Note : public moult::Updatable<Note, 96> {
 public:
  Note();
  explicit Note(int number);
  int number() const;
  void mark();
  std::string text() const;

 private:
  int number_;
};

/// Takes a note by reference, so that notes may grow without a new version of it.
std::string copied(const Note& note);

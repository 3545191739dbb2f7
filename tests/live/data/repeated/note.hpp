// A class of the program, with room to grow into, and a function that takes one.
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

/// Takes a note by reference, so that notes may grow while it stays.
std::string copied(const Note& note);

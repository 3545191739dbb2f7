// A class of the program, whose objects have no room for more fields.
#pragma once

#include <moult/moult.hpp>

#include <string>

class Document : public moult::Updatable<Document> {
 public:
  explicit Document(int number);
  ~Document();
  std::string title() const;
  int number() const;

 private:
  int number_;
};

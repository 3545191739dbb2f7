// What is in stock, for the program and its updates.
#pragma once

#include <moult/moult.hpp>

#include <memory>
#include <semaphore>

class Stock : public moult::Updatable<Stock> {
 public:
  explicit Stock(int boxes);
  void take(int count);
  void show() const;
  void audit() const;
  int boxes() const;

 private:
  int count_;
};

extern std::binary_semaphore auditor_is_done;

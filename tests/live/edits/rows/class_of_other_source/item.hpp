#pragma once
struct Item {
  virtual ~Item();
  virtual int one(int x);
  virtual int two(int x);
  int a = 1;
  int b = 1;
};
Item* make();

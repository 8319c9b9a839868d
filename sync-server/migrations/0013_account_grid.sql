-- In which grids of its village a grid worker works; nobody of whom none is named is kept to one.

CREATE TABLE account_grid (
    account TEXT NOT NULL REFERENCES account,
    grid TEXT NOT NULL,                 -- its name, spelt as core/src/domain/grid.rs spells it
    PRIMARY KEY (account, grid)
) STRICT, WITHOUT ROWID;

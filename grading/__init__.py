"""Releasing and grading the assignments; of the library, it imports `sbd_utils.files` alone.

| room | its one subject |
|---|---|
| `assignments` | the sources, and what each cell of one is for |
| `release` | what students get |
| `downloads` | how Moodle and Canvas name what they download |
| `collected` | what was handed in: which files, whose, for which assignment |
| `submissions` | a notebook that was handed in: read, and put into the course's |
| `processes` | processes with limits, of which none is left behind |
| `sandbox` | where students' code runs |
| `watch` | how long a submission may run |
| `marks` | a mark and its reason |
| `wire` | values as bytes, of which none is unpickled |
| `kernel` | the process that holds a student's code |
| `peer` | the two ends of the gap between a judge and a student's code |
| `judge` | the tests, which call the answers across the gap |
| `worker` | the process that runs one submission |
| `record` | what was graded, kept between runs |
| `tables` | the marks of a class as files |
| `hand_marks` | marks by hand: a table for a teacher to fill in |
| `exports` | totals as Moodle and Canvas import them |
| `pages` | the feedback page of a submission |
| `totals` | tables and pages of all that was graded, with the marks by hand |
| `grade` | a class from submissions to tables and pages |

A room imports only from rooms above its own line.
"""

"""Releasing and grading the assignments; of the library, it imports `sbd_utils.files` alone.

| room | its one subject |
|---|---|
| `assignments` | the sources, and what each cell of one is for |
| `release` | what students get |
| `submissions` | what was handed in: found, read, and put into the course's notebook |
| `processes` | processes with limits, of which none is left behind |
| `watch` | how long a submission may run |
| `marks` | a mark and its reason |
| `worker` | the process that runs one submission |
| `tables` | the marks of a class as files |
| `pages` | the feedback page of a submission |
| `grade` | a class from submissions to tables and pages |

A room imports only from rooms above its own line.
"""
